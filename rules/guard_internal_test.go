package rules

import (
	"fmt"
	"testing"
	"time"

	"autodiscover-guard/rules/dialect"
)

// To look each of a question's domains up among all its subjects takes half a minute of a processor, where there are a hundred thousand.
func TestWithoutDirectories_withoutEnd(t *testing.T) {
	all := []binding{{domain: "shop.com", operator: &rule{}}}
	var subjects []dialect.Subject
	for i := range 100_000 {
		domain := fmt.Sprintf("b%d.test", i)
		all = append(all, binding{domain: domain, rule: RulePrivateUse})
		subjects = append(subjects, dialect.Subject{Domain: domain, Carrier: "body"})
	}
	began := time.Now()
	if left := len(withoutDirectoryDomains(all, subjects)); left != len(all) || time.Since(began) > 5*time.Second {
		t.Errorf("%d of %d domains after %v", left, len(all), time.Since(began))
	}
}
