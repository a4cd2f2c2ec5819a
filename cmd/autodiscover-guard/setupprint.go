package main

import (
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"autodiscover-guard/cmd/autodiscover-guard/internal/companion"
	"autodiscover-guard/cmd/autodiscover-guard/internal/config"
	"autodiscover-guard/cmd/autodiscover-guard/internal/spelling"
	"autodiscover-guard/rules"
)

func setupPrintCommand() *cobra.Command {
	var file, kind, pacURL, state string
	cmd := &cobra.Command{
		Use:   "print --for KIND",
		Short: "write a piece for other programs, made from the policy",
		Long: `Write a piece for other programs, made from the policy, to standard output; where it goes is said on standard error. Nothing is changed on this
computer. Make the pieces again when the policy has changed.

` + listPieces(),
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			piece, err := pieceNamed(kind)
			if err != nil {
				return err
			}
			c, err := loadConfig(file)
			if err != nil {
				return err
			}
			if state != "" {
				if err := c.Set("state", state); err != nil {
					return fmt.Errorf("--state: %w", err)
				}
			}
			return printPiece(cmd.OutOrStdout(), cmd.ErrOrStderr(), piece, c, pacURL)
		},
	}
	cmd.Flags().StringVar(&kind, "for", "", "`KIND` of piece: "+strings.Join(companion.PieceNames(), ", "))
	cmd.Flags().StringVar(&file, "config", "", "configuration `FILE`")
	cmd.Flags().StringVar(&state, "state", "", "`DIR` of the guard, for its root certificate")
	cmd.Flags().StringVar(&pacURL, "pac-url", "", "`URL` at which clients get the PAC file; without it that of the admin listener, for this computer only")
	return cmd
}

// listPieces is the table in the command's help.
func listPieces() string {
	var b strings.Builder
	w := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	for _, p := range companion.Pieces() {
		fmt.Fprintf(w, "  %s\t%s\n", p.Name, p.About)
	}
	_ = w.Flush() // a Builder takes everything
	return strings.TrimRight(b.String(), "\n")
}

func pieceNamed(kind string) (companion.Piece, error) {
	if kind == "" {
		return companion.Piece{}, hint(errors.New("--for is missing"), "want one of %s", strings.Join(companion.PieceNames(), ", "))
	}
	p, ok := companion.PieceNamed(kind)
	if !ok {
		return p, fmt.Errorf("--for: %w", spelling.Known("piece", kind, companion.PieceNames()...))
	}
	return p, nil
}

// printPiece gathers what a piece needs and writes it.
func printPiece(stdout, stderr io.Writer, p companion.Piece, c *config.Config, pacURL string) error {
	policy, err := makePolicy(c)
	if err != nil {
		return err
	}
	f := companion.Facts{Policy: policy, At: time.Now(), Clients: c.Clients.Allow, Servers: allowedAddresses(c), Proxy: proxyAt(c.Listen, c.Listen.Proxy)}
	if p.Has(companion.NeedProxy) {
		if err := usable(f.Proxy); err != nil {
			return err
		}
	}
	switch {
	case p.Has(companion.NeedPACURL):
		if f.PACURL, err = pacPlace(pacURL, c, f.Proxy); err != nil {
			return err
		}
	case pacURL != "":
		return hint(fmt.Errorf("--pac-url: the piece %s names no PAC file", p.Name), "leave it out")
	}
	if p.Has(companion.NeedRoot) {
		if f.Root, _, err = readRoot(c); err != nil {
			return err
		}
	}
	if _, err := stdout.Write(p.Write(f)); err != nil {
		return err
	}
	fmt.Fprintf(stderr, "%s: %s\n", program, p.Where)
	if p.Check != "" {
		fmt.Fprintf(stderr, "%s: check it with: %s\n", program, p.Check)
	}
	return nil
}

// usable refuses an address that clients cannot connect to.
func usable(p companion.Proxy) error {
	if addr, err := netip.ParseAddr(p.Host); err == nil && addr.IsUnspecified() {
		return hint(fmt.Errorf("listen.proxy: %s is every address of this computer, and no client can be told so", p.Address()), "say in listen.name by which name or address clients reach it")
	}
	if p.Port == "0" {
		return hint(fmt.Errorf("listen.proxy: port 0 is another one at every start"), "give it a fixed port, such as 127.0.0.1:8080")
	}
	return nil
}

// pacPlace is where clients get the PAC file.
func pacPlace(said string, c *config.Config, p companion.Proxy) (string, error) {
	const key = "--pac-url"
	if said != "" {
		if scheme, rest, _ := strings.Cut(said, "://"); scheme != "http" && scheme != "https" || rest == "" || strings.ContainsAny(said, " \t\r\n\"\\<>`") {
			return "", hint(fmt.Errorf("%s: %q is not a URL", key, said), "want one such as http://guard.lab.test/proxy.pac")
		}
		return said, nil
	}
	admin := c.Listen.Admin
	host, port, err := net.SplitHostPort(admin)
	if err != nil || port == "0" {
		return "", hint(errors.New("listen.admin: nothing serves the PAC file at a place that can be named"), "give it an address with a fixed port, or say where the file is: %s URL", key)
	}
	here, err := netip.ParseAddr(host)
	alone := err == nil && here.IsLoopback()
	if proxy, err := netip.ParseAddr(p.Host); alone && (err != nil || !proxy.IsLoopback()) {
		return "", hint(errors.New("the PAC file of the admin listener is for this computer only, and the proxy is for others"),
			"put what \"setup print --for pac\" prints on a web server, and say where: %s http://guard.lab.test/proxy.pac; or have listen.admin serve others, too", key)
	}
	base := adminBase(&c.Listen, admin)
	if strings.Contains(base, "://"+admin) && here.IsUnspecified() {
		return "", hint(fmt.Errorf("listen.admin: %s is every address of this computer, and no client can be told so", admin), "say in listen.admin_url by which name clients reach it")
	}
	return base + "/proxy.pac", nil
}

// allowedAddresses are the addresses that the operator's rules let be named.
func allowedAddresses(c *config.Config) []netip.Prefix {
	var all []netip.Prefix
	for _, r := range c.Policy.Rules {
		for _, text := range r.Allow {
			pattern, _ := rules.ParsePattern(text) // which the policy has read, and writes as it compares: IPv4 in IPv6's spelling is IPv4
			if prefix, err := netip.ParsePrefix(pattern.String()); err == nil {
				all = append(all, prefix)
			} else if addr, err := netip.ParseAddr(pattern.String()); err == nil {
				all = append(all, netip.PrefixFrom(addr, addr.BitLen()))
			}
		}
	}
	return all
}
