import { reply } from '../../simulators/llama-server';
import * as fs from 'node:fs';
import path from 'node:path';
import process from 'node:process';

/** A recorded response: its original bytes without the chunked encoding. */
function recorded(file: string): { head: string; body: Buffer } {
	const bytes = fs.readFileSync(
		path.join(process.cwd(), 'test/fixtures/completions', `${file}.http`),
	);
	const split =
		bytes.indexOf('\r\n\r\n') >= 0 ? bytes.indexOf('\r\n\r\n') + 4 : bytes.indexOf('\n\n') + 2;
	return { head: bytes.subarray(0, split).toString('latin1'), body: bytes.subarray(split) };
}

/** A recorded response as a simulator's reply, byte for byte. */
export function recordedReply(file: string) {
	const { head, body } = recorded(file);
	const lines = head
		.split(/\r?\n/)
		.filter(
			(line) =>
				line !== '' && !/^(?:transfer-encoding|content-length|connection|keep-alive):/i.test(line),
		);
	const whole = [...lines, `Content-Length: ${body.byteLength}`, 'Connection: close', '', ''].join(
		'\r\n',
	);
	return reply.raw([Buffer.concat([Buffer.from(whole, 'latin1'), body])]);
}
