package main

import (
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"

	"github.com/spf13/cobra"

	"autodiscover-guard/certs"
	"autodiscover-guard/cmd/autodiscover-guard/internal/spelling"
)

func caExportCommand() *cobra.Command {
	var flags caFlags
	var format, out, replica string
	cmd := &cobra.Command{
		Use:   "export",
		Short: "write the root certificate, for clients to trust; or what a replica needs",
		Long: `Write the root certificate, which is not secret, to the standard output or to a file: PEM for most, DER for Windows and Android.

With --replica, write what another machine needs that answers for the same clients behind one address: the certificates and the ISSUING KEY,
in one file with mode 0600, never the root's key. Whoever has that file can pose as the guarded names until the issuing certificate ends.
Carry it over a safe way, "autodiscover-guard ca import FILE" there, and remove it. Do the same again after each renewal.`,
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := spelling.Known("format", format, "pem", "der"); err != nil {
				return fmt.Errorf("--format: %w", err)
			}
			if replica != "" && (out != "" || cmd.Flags().Changed("format")) {
				return hint(errors.New("--replica goes with neither --out nor --format"), "a replica's file is PEM, and its name is the value of --replica")
			}
			_, authority, err := flags.open()
			if err != nil {
				return err
			}
			defer authority.Close()
			if replica != "" {
				return exportReplica(cmd.ErrOrStderr(), authority, replica)
			}
			text := authority.RootPEM()
			if format == "der" {
				block, _ := pem.Decode(text)
				text = block.Bytes
			}
			if out == "" || out == "-" {
				_, err := cmd.OutOrStdout().Write(text)
				return err
			}
			if err := writeNew(out, text, 0o644); err != nil {
				return err
			}
			fmt.Fprintf(cmd.ErrOrStderr(), "%s: %s has the root certificate, SHA-256 %s\n", program, out, authority.Fingerprint())
			return nil
		},
	}
	addCAFlags(cmd, &flags)
	cmd.Flags().StringVar(&format, "format", "pem", "`FORMAT`: pem or der")
	cmd.Flags().StringVar(&out, "out", "", "`FILE` to write, which must not be there yet; the standard output without it")
	cmd.Flags().StringVar(&replica, "replica", "", "`FILE` to write the issuing key and the certificates to, for another machine")
	return cmd
}

func exportReplica(talk io.Writer, authority *certs.Authority, file string) error {
	text, err := authority.Replica()
	if err != nil {
		return err
	}
	if err := writeNew(file, text, 0o600); err != nil {
		return err
	}
	fmt.Fprintf(talk, "%s: %s HOLDS THE ISSUING KEY: keep it private, carry it over a safe way, and remove it when it is imported\n", program, file)
	fmt.Fprintf(talk, "%s: on the other machine, as root or as the user that the guard runs as: %s ca import %s\n", program, program, file)
	fmt.Fprintf(talk, "%s: it signs until %s; the root's key is not in it\n", program, authority.Issuing().NotAfter.UTC().Format("2006-01-02"))
	return nil
}

// writeNew writes a file that was not there, with its mode from the first byte on. One that cannot be written whole is not left behind.
func writeNew(name string, text []byte, mode fs.FileMode) error {
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, mode)
	if errors.Is(err, fs.ErrExist) {
		return hint(fmt.Errorf("%s is there already", name), "name another file, or remove that one")
	}
	if err != nil {
		return err
	}
	_, err = f.Write(text)
	if err = errors.Join(err, f.Close()); err != nil {
		_ = os.Remove(name)
	}
	return err
}
