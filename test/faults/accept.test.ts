/** What a request accepts is what its good response has: the wire from each operation to the header `accept`. */
import { useClock } from '../guarantees/support/fake-clock';
import { startGoodServer } from './good-server';
import { expectNoProblems, findException, getUnusedExceptions, runAlone } from './harness';
import type { Exceptions } from './harness';
import { listOperations } from './operations';

/** Operation and request. */
const EXCEPTIONS: Exceptions = [
	[
		/^Dify.*, POST \/v1\/text-to-audio$|^Dify.*, GET .*\/(?:preview|a-signed-file)\?/,
		'Dify sends a file whatever is accepted.',
	],
];

const clock = useClock();

/** Whether a media range such as `audio/*` covers a type (RFC 9110 12.5.1). */
const covers = (accept: string, type: string): boolean =>
	accept
		.split(',')
		.map((range) => range.trim().replace(/;.*/, ''))
		.some((range) => range === '*/*' || range === type || range === type.replace(/\/.*/, '/*'));

test('each request accepts the type of its response', async () => {
	const operations = await listOperations();
	const server = await startGoodServer();
	const alone = await runAlone(operations, { clock, server, key: 'key-7f3a91c4d2' });
	await server.close();
	const rows = [...alone].flatMap(([name, requests]) =>
		requests.map(({ line, headers, contentType }) => ({
			text: `${name}, ${line}`,
			accept: String(headers.accept),
			contentType,
		})),
	);
	const problems = rows
		.filter(({ text }) => findException(EXCEPTIONS, text) === undefined)
		.filter(({ accept, contentType }) => !covers(accept, contentType))
		.map(
			({ text, accept, contentType }) =>
				`${text}: the response is ${contentType}, accepted: ${accept}`,
		);
	expectNoProblems(problems);
	expectNoProblems(
		getUnusedExceptions(
			EXCEPTIONS,
			rows.map(({ text }) => text),
		),
	);
});
