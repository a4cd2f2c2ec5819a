package certs_test

import (
	"errors"
	"fmt"
	"log"
	"os"
	"path/filepath"

	"autodiscover-guard/certs"
)

func ExampleOpen() {
	state, err := os.MkdirTemp("", "")
	if err != nil {
		log.Fatal(err)
	}
	defer func() { _ = os.RemoveAll(state) }()

	authority, err := certs.Open(filepath.Join(state, "authority"), certs.Scope{Names: []string{"example.com"}})
	if err != nil {
		log.Fatal(err)
	}
	defer authority.Close()

	leaf, err := authority.Leaf("Autodiscover.example.com")
	fmt.Println(leaf.Leaf.DNSNames, err)

	_, err = authority.Leaf("www.bank.example.net")
	_, refused := errors.AsType[*certs.OutOfScopeError](err)
	fmt.Println(refused, err)
	// Output:
	// [autodiscover.example.com] <nil>
	// true name "www.bank.example.net" is outside the authority's scope
}
