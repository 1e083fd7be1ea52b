// An SMS centre by the npm package `smpp`: its first argument is how it behaves, the second its port.
// It prints a line for each request.
import smpp from "smpp";

const [manner, port] = process.argv.slice(2);
const REFUSED = {throttling: smpp.ESME_RTHROTTLED, full: smpp.ESME_RMSGQFUL};
const SLOW_MS = 400;
let number = 0xabc0;

const server = smpp.createServer((session) => {
  const bound = (pdu) => {
    console.log("bind");
    if (manner !== "dead") session.send(pdu.response());
  };
  session.on("bind_transceiver", bound);
  session.on("bind_transmitter", bound);
  session.on("bind_receiver", bound);
  session.on("enquire_link", (pdu) => {
    console.log("enquire_link");
    if (manner !== "silent") session.send(pdu.response());
  });
  session.on("unbind", (pdu) => session.send(pdu.response()));
  session.on("submit_sm", (pdu) => {
    console.log(`submit_sm ${pdu.destination_addr} ${pdu.short_message.message}`);
    answer(session, pdu);
  });
  session.on("error", () => {});
});

function answer(session, pdu) {
  number += 1;
  const hex = number.toString(16);
  const given = pdu.response({message_id: hex});
  switch (manner) {
    case "silent":
      return;
    case "slow":
      setTimeout(() => session.send(given), SLOW_MS);
      return;
    case "throttling":
    case "full":
      session.send(pdu.response({command_status: REFUSED[manner]}));
      return;
    case "without-id":
      session.send(pdu.response());
      return;
    case "wrong-sequence":
      given.sequence_number += 1000;
      session.send(given);
      return;
    case "lying":
      // A receipt of a message that it never had, and one that contradicts itself, come before the true one.
      session.send(given);
      receipt(session, pdu, "ffffffff", "UNDELIV");
      receipt(session, pdu, hex, "PERHAPS");
      receipt(session, pdu, hex, "DELIVRD");
      return;
    case "early":
      receipt(session, pdu, hex, "DELIVRD");
      session.send(given);
      return;
    case "decimal-receipts":
      session.send(given);
      receipt(session, pdu, String(number), "DELIVRD");
      return;
    default:
      session.send(given);
      receipt(session, pdu, hex, "DELIVRD");
  }
}

function receipt(session, pdu, id, state) {
  session.deliver_sm({
    source_addr: pdu.destination_addr,
    destination_addr: pdu.source_addr,
    esm_class: smpp.ESM_CLASS.MC_DELIVERY_RECEIPT,
    short_message: `id:${id} sub:001 dlvrd:001 submit date:2611280700 done date:2611280701 stat:${state} err:000 text:x`,
  });
}

server.listen(Number(port), "127.0.0.1");
