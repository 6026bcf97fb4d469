// Package capture makes events of packets that were captured: of files and streams of pcap and pcapng, as tcpdump,
// Wireshark and their like write them, plain or compressed.
//
// Packets are taken apart by gopacket: Ethernet with VLAN tags, Linux cooked captures, loopback and raw IP, IPv4 and
// IPv6. Its reassembly puts the bytes of each TCP connection in order, which copes with packets that are late, come
// twice or overlap. What was not captured is a gap: at once when the receiver's acknowledgement shows that it
// got the bytes, and else after five seconds of the capture. A capture may begin and end anywhere.
//
// Memory is bounded whatever comes: by MaxConns connections, 16 MiB of packets that wait for others, and the
// frames that package stream collects.
package capture
