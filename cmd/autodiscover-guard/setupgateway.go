package main

import (
	"errors"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"autodiscover-guard/cmd/autodiscover-guard/internal/config"
	"autodiscover-guard/cmd/autodiscover-guard/internal/gateway"
	"autodiscover-guard/cmd/autodiscover-guard/internal/spelling"
	"autodiscover-guard/intercept"
)

func setupGatewayCommand() *cobra.Command {
	var file, user string
	var printed, sockets bool
	cmd := &cobra.Command{
		Use:   "gateway --print [PART...]",
		Short: "print what stands around the guard on a gateway: units, packet filter, routes",
		Long: `Print the files that a gateway needs around the guard, made from the configuration; nothing on this computer is changed. Each begins with a
comment that says where it goes. Without PART all are printed, with PARTs these alone:

  user       the user that the guard runs as (sysusers.d)
  sockets    systemd sockets: with --socket for every door, else for those that take a privilege (tproxy, ports below 1024)
  service    the systemd service, hardened
  sysctl     forwarding
  nftables   rules that send clients' connections to the transparent door (listen.transparent, listen.transparent_by)
  network    a systemd service that puts these in force, and for tproxy the routes

For example: ` + program + ` setup gateway --print --config /etc/` + program + `.yaml nftables | nft -c -f -`,
		RunE: func(cmd *cobra.Command, parts []string) error {
			if !printed {
				return hint(errors.New("setup gateway changes nothing on this computer, it prints"), "say so: %s --print", cmd.CommandPath())
			}
			c, err := loadConfig(file)
			if err != nil {
				return err
			}
			plan, err := gatewayPlan(c, file, user)
			if err != nil {
				return err
			}
			plan.Sockets = sockets
			files, err := plan.Files()
			if err != nil {
				return err
			}
			if files, err = chosen(files, parts, plan); err != nil {
				return err
			}
			for _, path := range unseen(plan, c.Files()) {
				fmt.Fprintf(cmd.ErrOrStderr(), "%s: hint: %s lies where the service cannot look (ProtectHome=, PrivateTmp=); move it, to /usr/local/bin, /etc or /var/lib\n", program, nameable(path, plan.Config))
			}
			for i, f := range files {
				if i > 0 {
					fmt.Fprintln(cmd.OutOrStdout())
				}
				fmt.Fprint(cmd.OutOrStdout(), f.Text)
			}
			return nil
		},
	}
	cmd.Flags().StringVar(&file, "config", "", "configuration `FILE` of the gateway")
	cmd.Flags().StringVar(&user, "user", gateway.Name, "`USER` that the guard runs as, and nobody else does")
	cmd.Flags().BoolVar(&printed, "print", false, "print to the standard output")
	cmd.Flags().BoolVar(&sockets, "socket", false, "have systemd make all listeners, so that none is closed while the guard is restarted")
	return cmd
}

// gatewayPlan is the plan of this program with this configuration.
func gatewayPlan(c *config.Config, file, user string) (gateway.Plan, error) {
	self, err := os.Executable()
	if err != nil {
		return gateway.Plan{}, fmt.Errorf("finding this program: %w", err)
	}
	p := gateway.Plan{
		Program: self, User: user, Clients: c.Clients.Allow, TPROXY: c.Listen.TransparentBy == "tproxy",
		Private: c.Upstream.Private.Ranges, AllPrivate: c.Upstream.Private.All,
		Ports: append(intercept.MailPorts(), 80, 443), Drain: c.Limits.Drain,
		Descriptors: 2*(c.Limits.Connections+c.Limits.Tunnels) + 1024,
	}
	slices.Sort(p.Ports)
	for _, path := range []struct {
		from string
		to   *string
	}{{file, &p.Config}, {c.State, &p.State}} {
		if path.from == "" {
			continue
		}
		if *path.to, err = filepath.Abs(path.from); err != nil {
			return gateway.Plan{}, fmt.Errorf("finding %q: %w", path.from, err)
		}
	}
	if filepath.IsAbs(c.Log.Decisions) {
		p.Writable = []string{filepath.Dir(c.Log.Decisions)}
	}
	for _, door := range []struct {
		from string
		to   *netip.AddrPort
	}{{c.Listen.Proxy, &p.Proxy}, {c.Listen.Transparent, &p.Transparent}, {c.Listen.Admin, &p.Admin}} {
		if door.from == "" {
			continue
		}
		if *door.to, err = netip.ParseAddrPort(door.from); err != nil {
			return gateway.Plan{}, fmt.Errorf("reading a listener: %w", err)
		}
	}
	return p, nil
}

// chosen are the files of the parts that were named.
func chosen(files []gateway.File, parts []string, plan gateway.Plan) ([]gateway.File, error) {
	if len(parts) == 0 {
		return files, nil
	}
	var out []gateway.File
	for _, part := range parts {
		before := len(out)
		for _, f := range files {
			if f.Part == part {
				out = append(out, f)
			}
		}
		if len(out) > before {
			continue
		}
		switch part {
		case "sockets":
			return nil, hint(errors.New("no door takes a privilege, so systemd need not make any"), "add --socket to have it make all")
		case "nftables", "network", "sysctl":
			if plan.Transparent.IsValid() {
				return nil, errors.New("clients.allow names this computer's own programs alone, so nothing is forwarded")
			}
			return nil, hint(errors.New("there is no transparent door to send anything to"), "set listen.transparent, such as listen: {transparent: \":8443\"}, in the file of --config")
		}
		return nil, spelling.Known("part", part, "user", "sockets", "service", "sysctl", "nftables", "network")
	}
	return out, nil
}

// unseen are the files that the unit's own hardening hides from the service: of the plan, and those that the configuration names.
func unseen(p gateway.Plan, named []string) []string {
	var out []string
	for _, path := range slices.Concat([]string{p.Program, p.Config, p.State}, p.Writable, named) {
		if path == "" {
			continue
		}
		path, err := filepath.Abs(path)
		if err == nil && slices.ContainsFunc(hiddenFromService, func(dir string) bool { return strings.HasPrefix(path+"/", dir) }) {
			out = append(out, path)
		}
	}
	return out
}

// nameable is a path that can be shown. One beside the configuration where nothing is may be no path: some write a secret in the place of its file's name.
func nameable(path, config string) string {
	dir := filepath.Dir(config)
	if name, err := filepath.Rel(dir, path); err != nil || !filepath.IsLocal(name) {
		return path
	}
	if _, err := os.Lstat(path); err != nil {
		return filepath.Join(dir, "…")
	}
	return path
}

var hiddenFromService = []string{"/home/", "/root/", "/run/user/", "/tmp/", "/var/tmp/"}
