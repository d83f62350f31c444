/** Whatever operation reads a response: JSON without an end is not read further than its limit, and the connection is closed. */
import { startScripted } from '../support/servers/scripted-server';
import { isNightly } from '../support/jest/properties';
import { withDeadline } from '../support/waiting/deadline';
import { createCredential } from './harness';
import { listOperations } from './operations';

/** The beginning of the JSON, and what follows until the connection is closed. */
const FORMS = [
	{ title: 'open brackets', start: '{"data":[', rest: '['.repeat(500_000) },
	{ title: 'a text', start: '{"text":"', rest: 'lorem ipsum '.repeat(50_000) },
] as const;

/** Bytes: the largest limit, that of images in JSON, and what the buffers of two sockets hold. */
const MAX_SENT = (128 + 32) * 1024 * 1024;
/** Bytes after which the server gives up: the limit for a file. */
const MAX_OFFERED = 1024 * 1024 * 1024;

interface Endless {
	url: string;
	/** Bytes of the response that took most. */
	getSent(): number;
	close(): Promise<void>;
}

/** Those that wait for a state would wait for it until their limit. */
const READERS =
	/(?:audio transcribe|audio speak|text (?:chat|extract|classify|complete)|vector (?:embed|rerank)|image (?:generate|edit)|getAll|model (?:un)?load|knowledgeBase retrieve|modelServer check)$/;

/** Those that `npm test` plays. */
const QUICK_READERS = /^(?:Local Llama text chat|Dify Feedback .*getAll)$/;

async function startEndless({ start, rest }: (typeof FORMS)[number]): Promise<Endless> {
	const bytes = Buffer.from(rest);
	let most = 0;
	const server = await startScripted((_request, response) => {
		response.writeHead(200, { 'content-type': 'application/json' });
		response.write(start);
		let sent = 0;
		const send = (): void => {
			while (!response.destroyed && sent < MAX_OFFERED) {
				sent += bytes.length;
				most = Math.max(most, sent);
				if (response.write(bytes)) continue;
				response.once('drain', send);
				return;
			}
			response.end();
		};
		send();
	});
	return { url: server.url, getSent: () => most, close: server.close };
}

test.each(FORMS)('$title without end', async (form) => {
	const problems: string[] = [];
	const operations = await listOperations();
	const readers = operations.filter(({ name }) => READERS.test(name));
	expect(readers.length).toBeGreaterThan(10);
	// Each takes up to 128 MB: one of a chat and one of a list, and each night all of them.
	const played = isNightly ? readers : readers.filter(({ name }) => QUICK_READERS.test(name));
	expect(played.length).toBeGreaterThanOrEqual(2);
	for (const operation of played) {
		const server = await startEndless(form);
		const credentials = [createCredential(operation, { url: server.url, key: 'x'.repeat(24) })];
		await withDeadline(
			operation.run({ credentials }).catch((error: Error) => error),
			() => `the end of ${operation.name}`,
		);
		if (server.getSent() > MAX_SENT) problems.push(`${operation.name}: ${server.getSent()} bytes`);
		await server.close();
	}
	expect(problems).toEqual([]);
});
