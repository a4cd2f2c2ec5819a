package certs_test

import (
	"encoding/json"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"autodiscover-guard/certs"
)

// explained names, lint by lint, why what zlint finds is as it should be: it judges by the rules for public authorities (CA/Browser Forum,
// Baseline Requirements), and this is a private one, trusted by hand on a few machines.
var explained = map[string]string{
	// Authorities.
	"e_ca_country_name_missing":                "a country would be an invention: the authority is a program's, not an organisation's",
	"e_invalid_ca_certificate_policies":        policies,
	"e_sub_ca_certificate_policies_missing":    policies,
	"e_root_ca_extended_key_usage_present":     "wanted: verifiers that read it take it as a limit on everything below (issue.go)",
	"e_sub_ca_crl_distribution_points_missing": "named where an address for lists is set; what leads to a former root never has one, as its key is the root's own",
	"w_sub_ca_aia_missing":                     access,
	"n_ca_digital_signature_not_set":           "wanted: it signs certificates and revocation lists, nothing else, OCSP answers neither",
	// Leaves.
	"e_sub_cert_certificate_policies_missing":                 policies,
	"e_sub_cert_cert_policy_empty":                            policies,
	"e_sub_cert_aia_missing":                                  access,
	"w_sub_cert_aia_does_not_contain_issuing_ca_url":          access,
	"e_missing_crl_distrib_point":                             "named where an address for lists is set; most clients ask for none",
	"n_ct_sct_policy_count_unsatisfied":                       "browsers ask for no log's signature under a root that a person has installed",
	"w_ext_subject_key_identifier_not_recommended_subscriber": "RFC 5280, section 4.2.1.2, recommends it, and it costs 22 bytes",
	"w_subject_common_name_included":                          "clients that ask a person show it (leaf.go: subject); it only repeats the name",
}

const (
	policies = "there is no practice statement to name: policies tell which rules a public authority keeps"
	access   = "the chain is sent whole, so that there is nothing to fetch, and there is no OCSP service"
)

// TestZlint has zlint, at the version in .ci/go.mod, look at every kind of certificate that this package makes.
func TestZlint(t *testing.T) {
	t.Parallel()
	tool := []string{"tool", "-modfile=" + filepath.Join("..", ".ci", "go.mod"), "zlint"}
	if out, err := exec.CommandContext(t.Context(), "go", append(tool, "-version")...).CombinedOutput(); err != nil {
		t.Skipf("zlint cannot be built here: %v\n%s", err, out)
	}
	// Looking it up for each certificate was most of the time.
	zlint, err := exec.CommandContext(t.Context(), "go", slices.Insert(slices.Clone(tool), 1, "-n")...).Output()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	var files []string
	for _, base := range []string{"", admin} {
		a := openAt(t, place(t), base, "example.com")
		former := a.Root()
		if _, err := a.Widen(certs.Scope{Names: []string{"test"}}); err != nil {
			t.Fatal(err)
		}
		if _, err := a.Leaf("example.com"); err != nil { // the one that the others are made after
			t.Fatal(err)
		}
		leaf, err := a.Leaf("autodiscover.example.com")
		if err != nil || len(leaf.Certificate) != 3 {
			t.Fatalf("%d certificates, %v", len(leaf.Certificate), err)
		}
		for i, der := range append(slices.Clone(leaf.Certificate), former.Raw, a.Root().Raw) {
			file := filepath.Join(dir, []string{"leaf", "issuing", "cross", "former", "root"}[i]+base[:min(4, len(base))]+".der")
			write(t, file, der)
			files = append(files, file)
		}
	}
	used := map[string]bool{}
	for _, file := range files {
		out, err := exec.CommandContext(t.Context(), strings.TrimSpace(string(zlint)), "-format", "der", file).Output()
		if err != nil {
			t.Fatal(err)
		}
		var lints map[string]struct {
			Result  string `json:"result"`
			Details string `json:"details"`
		}
		if err := json.Unmarshal(out, &lints); err != nil || len(lints) < 100 {
			t.Fatalf("%d lints, %v", len(lints), err)
		}
		for name, lint := range lints {
			switch lint.Result {
			case "pass", "NA", "NE":
				continue
			}
			used[name] = true
			if explained[name] == "" {
				t.Errorf("%s: %s %s %s", filepath.Base(file), lint.Result, name, lint.Details)
			}
		}
	}
	for name := range explained {
		if !used[name] {
			t.Errorf("%s is explained and not found any more", name)
		}
	}
}
