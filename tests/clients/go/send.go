// Sends the events on stdin with the CloudEvents SDK of Go: `send URL KEY MODE`; prints the status of each request.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log"
	nethttp "net/http"
	"os"

	"github.com/cloudevents/sdk-go/v2/binding"
	"github.com/cloudevents/sdk-go/v2/event"
	"github.com/cloudevents/sdk-go/v2/protocol/http"
)

// written is an event as the test writes it; the SDK's own type is filled from it attribute by attribute.
type written struct {
	ID      string          `json:"id"`
	Source  string          `json:"source"`
	Type    string          `json:"type"`
	Subject string          `json:"subject"`
	Data    json.RawMessage `json:"data"`
}

func main() {
	url, key, mode := os.Args[1], os.Args[2], os.Args[3]
	var given []written
	must(json.NewDecoder(os.Stdin).Decode(&given))
	var events []event.Event
	for _, one := range given {
		created := event.New()
		created.SetID(one.ID)
		created.SetSource(one.Source)
		created.SetType(one.Type)
		created.SetSubject(one.Subject)
		must(created.SetData(event.ApplicationJSON, one.Data))
		events = append(events, created)
	}
	for _, request := range encode(url, mode, events) {
		request.Header.Set("Authorization", "Bearer "+key)
		answer, err := nethttp.DefaultClient.Do(request)
		must(err)
		body, err := io.ReadAll(answer.Body)
		must(err)
		fmt.Println(answer.StatusCode, string(body))
	}
}

func encode(url string, mode string, events []event.Event) []*nethttp.Request {
	ctx := context.Background()
	if mode == "batch" {
		request, err := http.NewHTTPRequestFromEvents(ctx, url, events)
		must(err)
		return []*nethttp.Request{request}
	}
	if mode == "structured" {
		ctx = binding.WithForceStructured(ctx)
	} else {
		ctx = binding.WithForceBinary(ctx)
	}
	var requests []*nethttp.Request
	for _, one := range events {
		request, err := http.NewHTTPRequestFromEvent(ctx, url, one)
		must(err)
		requests = append(requests, request)
	}
	return requests
}

func must(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
