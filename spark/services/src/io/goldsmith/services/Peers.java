package io.goldsmith.services;

import java.math.BigInteger;
import java.net.InetAddress;
import java.net.InterfaceAddress;
import java.net.NetworkInterface;
import java.net.SocketException;

/**
 * The addresses of a network without its gateway.
 *
 * @param own an address of the network
 * @param prefix the length of the network prefix in bits
 * @param gateway the address that is not a peer
 */
record Peers(InetAddress own, int prefix, InetAddress gateway) {

    /** The network of an address of this machine. */
    static Peers around(InetAddress own, InetAddress gateway) throws SocketException {
        NetworkInterface device = NetworkInterface.getByInetAddress(own);
        if (device == null) {
            throw new SocketException(own + " is not an address of this machine");
        }
        for (InterfaceAddress each : device.getInterfaceAddresses()) {
            if (each.getAddress().equals(own)) {
                return new Peers(own, each.getNetworkPrefixLength(), gateway);
            }
        }
        throw new SocketException(own + " is not an address of " + device.getName());
    }

    boolean have(InetAddress address) {
        return !address.equals(gateway) && network(address).equals(network(own))
                && address.getAddress().length == own.getAddress().length;
    }

    private BigInteger network(InetAddress address) {
        byte[] bytes = address.getAddress();
        return new BigInteger(1, bytes).shiftRight(bytes.length * Byte.SIZE - prefix);
    }
}
