import { startTcpServer } from '../../support/servers/listen';
import { after } from './run-examples';

/** Starts a mail server for one test that accepts all mails. @returns its port, and the mails so far */
export async function mailServer(): Promise<{ port: number; mails: string[] }> {
	const mails: string[] = [];
	const { port, close } = await startTcpServer((socket) => {
		let mail: string | undefined;
		let rest = '';
		const say = (line: string) => socket.write(`${line}\r\n`);
		const read = (line: string) => {
			if (mail === undefined) {
				if (line === 'DATA') mail = '';
				say(line === 'DATA' ? '354 Go on' : line === 'QUIT' ? '221 Bye' : '250 Fine');
			} else if (line === '.') {
				mails.push(mail);
				mail = undefined;
				say('250 Taken');
			} else mail += `${line}\r\n`;
		};
		socket.on('error', () => socket.destroy());
		socket.on('data', (chunk) => {
			const lines = (rest + chunk.toString()).split('\r\n');
			rest = lines.pop()!;
			lines.forEach(read);
		});
		say('220 Here');
	});
	after(close);
	return { port, mails };
}

/** Decodes line breaks and signs of quoted-printable and HTML in a mail. */
export const unfolded = (mail: string) =>
	mail.replace(/=\r\n/g, '').replace(/=3D/g, '=').replaceAll('&amp;', '&');
