package capture

import (
	"github.com/gopacket/gopacket"
	"github.com/gopacket/gopacket/layers"
)

// parsers take packets apart. All share the layers, so that nothing is allocated for a packet.
type parsers struct {
	byLink map[layers.LinkType]*gopacket.DecodingLayerParser
	found  []gopacket.LayerType
	flow   gopacket.Flow // of the last packet

	last      *gopacket.DecodingLayerParser // what it was taken apart by, and what for
	lastLink  layers.LinkType
	lastFirst gopacket.LayerType

	ether layers.Ethernet
	vlan  layers.Dot1Q
	sll   layers.LinuxSLL
	sll2  layers.LinuxSLL2
	loop  layers.Loopback
	ip4   layers.IPv4
	ip6   layers.IPv6
	ext6  layers.IPv6ExtensionSkipper
	tcp   layers.TCP
}

// The numbers of raw IP that files use beside 101: those of OpenBSD and of others.
const (
	linkRawOpenBSD = 14
	linkRawBSD     = 12
)

// parse returns the TCP segment of a packet, or nil if it has none.
func (p *parsers) parse(link layers.LinkType, data []byte) *layers.TCP {
	first := p.first(link, data)
	if first == gopacket.LayerTypeZero {
		return nil
	}
	if p.last == nil || p.lastLink != link || p.lastFirst != first {
		p.last, p.lastLink, p.lastFirst = p.parser(link, first), link, first
	}
	parser := p.last
	if err := parser.DecodeLayers(data, &p.found); err != nil || len(p.found) == 0 {
		return nil
	}
	if p.found[len(p.found)-1] != layers.LayerTypeTCP {
		return nil
	}
	for i := len(p.found) - 1; i >= 0; i-- {
		switch p.found[i] {
		case layers.LayerTypeIPv4:
			p.flow = p.ip4.NetworkFlow()
			return &p.tcp
		case layers.LayerTypeIPv6:
			p.flow = p.ip6.NetworkFlow()
			return &p.tcp
		}
	}
	return nil
}

func isRaw(link layers.LinkType) bool {
	return link == layers.LinkTypeRaw || link == linkRawBSD || link == linkRawOpenBSD
}

// first returns the layer that packets of a link begin with.
func (p *parsers) first(link layers.LinkType, data []byte) gopacket.LayerType {
	switch link {
	case layers.LinkTypeEthernet:
		return layers.LayerTypeEthernet
	case layers.LinkTypeNull, layers.LinkTypeLoop:
		return layers.LayerTypeLoopback
	case layers.LinkTypeLinuxSLL:
		return layers.LayerTypeLinuxSLL
	case layers.LinkTypeLinuxSLL2:
		return layers.LayerTypeLinuxSLL2
	case layers.LinkTypeIPv4:
		return layers.LayerTypeIPv4
	case layers.LinkTypeIPv6:
		return layers.LayerTypeIPv6
	}
	if !isRaw(link) || len(data) == 0 {
		return gopacket.LayerTypeZero
	}
	switch data[0] >> 4 {
	case 4:
		return layers.LayerTypeIPv4
	case 6:
		return layers.LayerTypeIPv6
	}
	return gopacket.LayerTypeZero
}

// parser returns the parser of packets that begin with a layer. Raw links have one for each version of IP, under
// the links that have that version only.
func (p *parsers) parser(link layers.LinkType, first gopacket.LayerType) *gopacket.DecodingLayerParser {
	if isRaw(link) {
		if link = layers.LinkTypeIPv4; first == layers.LayerTypeIPv6 {
			link = layers.LinkTypeIPv6
		}
	}
	if parser := p.byLink[link]; parser != nil {
		return parser
	}
	parser := gopacket.NewDecodingLayerParser(first)
	parser.SetDecodingLayerContainer(gopacket.DecodingLayerSparse(nil)) // which finds layers fastest
	for _, l := range []gopacket.DecodingLayer{&p.ether, &p.vlan, &p.sll, &p.sll2, &p.loop, &p.ip4, &p.ip6, &p.ext6, &p.tcp} {
		parser.AddDecodingLayer(l)
	}
	parser.IgnoreUnsupported = true
	if p.byLink == nil {
		p.byLink = map[layers.LinkType]*gopacket.DecodingLayerParser{}
	}
	p.byLink[link] = parser
	return parser
}
