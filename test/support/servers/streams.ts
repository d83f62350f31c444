/** Recorded responses as bytes. */
import * as fs from 'node:fs';
import path from 'node:path';
import process from 'node:process';

const FIXTURES = path.join(process.cwd(), 'test', 'fixtures');

/** The bytes of a file below `test/fixtures/`: `fixture('llama-server-v0.5.0/chat-stream.http')`. */
export const fixture = (name: string): Buffer => fs.readFileSync(path.join(FIXTURES, name));

/** Files in a folder below `test/fixtures/`, as names for `fixture`. */
export const fixtureNames = (folder: string, ending = ''): string[] =>
	fs
		.readdirSync(path.join(FIXTURES, folder))
		.filter((name) => name.endsWith(ending))
		.sort()
		.map((name) => `${folder}/${name}`);

/** Folders below `test/fixtures/` that have such files. */
export const fixtureFolders = (ending: string): string[] =>
	fs
		.readdirSync(FIXTURES, { recursive: true, encoding: 'utf8' })
		.filter((name) => fs.statSync(path.join(FIXTURES, name)).isDirectory())
		.filter((name) => fixtureNames(name, ending).length > 0)
		.sort();

export interface HttpFixture {
	status: number;
	reason: string;
	/** In wire order. */
	headers: Array<[name: string, value: string]>;
	/** Without chunk framing. */
	body: Buffer;
}

/** Parses a raw HTTP response. */
const parseHttp = (bytes: Buffer): HttpFixture => {
	const end = bytes.indexOf('\r\n\r\n');
	const [statusLine = '', ...lines] = bytes.toString('latin1', 0, end).split('\r\n');
	const [, status = '0', reason = ''] = /^HTTP\/1\.[01] (\d+) ?(.*)$/.exec(statusLine) ?? [];
	const headers = lines.map((line): [string, string] => {
		const colon = line.indexOf(':');
		return [line.slice(0, colon), line.slice(colon + 1).trim()];
	});
	const rest = bytes.subarray(end + 4);
	const chunked = headers.some(
		([name, value]) => /^transfer-encoding$/i.test(name) && value === 'chunked',
	);
	const chunks: Buffer[] = [];
	if (!chunked) chunks.push(rest);
	for (let at = 0; chunked;) {
		const lineEnd = rest.indexOf('\r\n', at);
		const size = lineEnd < 0 ? 0 : Number.parseInt(rest.toString('latin1', at, lineEnd), 16);
		if (size === 0) break;
		// A recording may end inside a chunk.
		chunks.push(rest.subarray(lineEnd + 2, lineEnd + 2 + size));
		at = lineEnd + 2 + size + 2;
	}
	return { status: Number(status), reason, headers, body: Buffer.concat(chunks) };
};

/** A recorded response, parsed. */
export const httpFixture = (name: string): HttpFixture => parseHttp(fixture(name));
