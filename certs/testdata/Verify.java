import java.io.FileInputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.security.KeyStore;
import java.security.cert.Certificate;
import java.security.cert.CertificateFactory;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLParameters;
import javax.net.ssl.SSLSocket;
import javax.net.ssl.TrustManagerFactory;

/** Asks servers on loopback for their certificates as an HTTPS client does: Verify ROOTS.pem (NAME PORT)... */
class Verify {
    public static void main(String[] args) throws Exception {
        KeyStore trusted = KeyStore.getInstance("PKCS12");
        trusted.load(null, null);
        try (FileInputStream in = new FileInputStream(args[0])) {
            int n = 0;
            for (Certificate c : CertificateFactory.getInstance("X.509").generateCertificates(in)) {
                trusted.setCertificateEntry("root" + n++, c);
            }
        }
        TrustManagerFactory factory = TrustManagerFactory.getInstance("PKIX");
        factory.init(trusted);
        SSLContext context = SSLContext.getInstance("TLS");
        context.init(null, factory.getTrustManagers(), null);
        for (int i = 1; i < args.length; i += 2) {
            System.out.println(ask(context, args[i], Integer.parseInt(args[i + 1])));
        }
    }

    static String ask(SSLContext context, String name, int port) throws Exception {
        Socket plain = new Socket();
        plain.connect(new InetSocketAddress(InetAddress.getLoopbackAddress(), port), 10000);
        try (SSLSocket s = (SSLSocket) context.getSocketFactory().createSocket(plain, name, port, true)) {
            s.setSoTimeout(10000);
            SSLParameters p = s.getSSLParameters();
            p.setEndpointIdentificationAlgorithm("HTTPS");
            s.setSSLParameters(p);
            s.startHandshake();
            return "accepted";
        } catch (javax.net.ssl.SSLException e) {
            Throwable cause = e;
            while (cause.getCause() != null) {
                cause = cause.getCause();
            }
            return "refused: " + cause.getMessage();
        }
    }
}
