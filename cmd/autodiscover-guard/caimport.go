package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/spf13/cobra"

	"autodiscover-guard/certs"
)

func caImportCommand() *cobra.Command {
	var flags caFlags
	var passwordFile string
	var unconstrained bool
	cmd := &cobra.Command{
		Use:   "import FILE...",
		Short: "take an intermediate of another CA, or what ca export --replica wrote, as the authority",
		Long: `Take an issuing certificate of another CA as the authority: the files together hold its private key, its certificate and all others up to the
root, in any order. PEM (keys in PKCS #8, PKCS #1 or SEC 1), DER certificates and PKCS #12 are read. Chain, key, usages, path length, dates,
key identifiers and name constraints are checked; everything that is wrong is named, and nothing is written then.

Import as the user that the guard runs as, or as root: what root writes belongs to the owner of the directory. An authority below the same
root gets the new issuing certificate; one below another root, or below a newer edition of it, has to be moved away first. The guard cannot
renew what another CA issued: it warns 60, 30 and 7 days before the end. Where the policy of --config has names that the certificate is not wide
enough for, it is imported all the same, and the exit code is 1: a guard that is started then fails.`,
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				return hint(fmt.Errorf("%s wants files", cmd.CommandPath()), "for example: %s issuing.p12, or %s issuing.key issuing.pem chain.pem", cmd.CommandPath(), cmd.CommandPath())
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, files []string) error {
			c, dir, err := flags.load()
			if err != nil {
				return err
			}
			m, err := readMaterial(files, passwordFile, cmd.InOrStdin())
			if err != nil {
				return err
			}
			m.Unconstrained = unconstrained
			if err := certs.Import(dir, m); err != nil {
				return importFailed(err)
			}
			authority, err := certs.OpenExisting(dir)
			if err != nil {
				return explained(err)
			}
			defer authority.Close()
			fmt.Fprintf(cmd.OutOrStdout(), "imported into %s; clients have to trust its root, SHA-256 %s\n", dir, authority.Fingerprint())
			fmt.Fprintf(cmd.OutOrStdout(), "it signs until %s\n", authority.Status(time.Now()).Ends.UTC().Format(time.DateOnly))
			if unconstrained {
				fmt.Fprintf(cmd.ErrOrStderr(), "%s: nothing constrains this key: whoever steals it can pose as any site to everybody who trusts that root\n", program)
			}
			policy, err := makePolicy(c)
			if err != nil {
				return err
			}
			if err := authority.Rescope(certs.Scope{Names: policy.Scope()}); err != nil {
				fmt.Fprintf(cmd.ErrOrStderr(), "%s: it is not wide enough for the policy, and the guard will not start with it: %v\n", program, err)
				if flags.config == "" {
					fmt.Fprintf(cmd.ErrOrStderr(), "%s: hint: that is the policy of a guard without a configuration: say --config FILE for another\n", program)
				}
				return &answerNo{}
			}
			return nil
		},
	}
	addCAFlags(cmd, &flags)
	cmd.Flags().StringVar(&passwordFile, "password-file", "", "`FILE` with the password of the PKCS #12 file; - is the standard input")
	cmd.Flags().BoolVar(&unconstrained, "unconstrained", false, "take a certificate without complete name constraints all the same")
	return cmd
}

// readMaterial reads the files, all into one.
func readMaterial(files []string, passwordFile string, stdin io.Reader) (certs.Material, error) {
	password, err := readPassword(passwordFile, stdin)
	if err != nil {
		return certs.Material{}, err
	}
	var all certs.Material
	for _, file := range files {
		data, err := readWhole(file)
		if err != nil {
			return certs.Material{}, err
		}
		m, err := certs.ReadMaterial(data, password)
		if errors.Is(err, certs.ErrPassword) {
			return certs.Material{}, hint(fmt.Errorf("%s: %w", file, err), "--password-file FILE gives it")
		}
		if err != nil {
			return certs.Material{}, fmt.Errorf("%s: %w", file, err)
		}
		all.Add(m)
	}
	return all, nil
}

// readPassword reads the first line; it is never an argument, which every user of the machine can read.
func readPassword(file string, stdin io.Reader) (string, error) {
	if file == "" {
		return "", nil
	}
	if file != "-" {
		f, err := os.Open(file)
		if err != nil {
			return "", fmt.Errorf("--password-file: %w", err)
		}
		defer f.Close()
		stdin = f
	}
	const longest = 4 << 10
	text, err := io.ReadAll(io.LimitReader(stdin, longest))
	if err != nil {
		return "", fmt.Errorf("--password-file: %w", err)
	}
	line, _, _ := bytes.Cut(text, []byte("\n"))
	return string(bytes.TrimSuffix(line, []byte("\r"))), nil
}

func importFailed(err error) error {
	var problem *certs.ImportError
	if errors.As(err, &problem) && problem.Check == "constraints" {
		return hint(err, "have its CA issue one with critical name constraints; --unconstrained takes it as it is, and a thief of its key could then pose as any site")
	}
	return err
}
