import fc from 'fast-check';

import { closePools } from '../../../lib/http/dispatcher';
import { stringifyBody } from '../../../lib/http/send-request';
import { startLlamaServerSim } from '../../simulators/llama-server';
import { useSimulator } from '../../simulators/use-simulator';
import stream from 'node:stream';
import { setTimeout } from 'node:timers';
import { setTimeout as delay } from 'node:timers/promises';
import { connect, fetchStatus } from './client';
import { examples } from '../../support/jest/properties';
import { closeRawServers, rawServer } from '../../support/servers/raw-http-server';
import { anyCodePoint } from '../../support/texts/code-points';

const startServer = useSimulator(startLlamaServerSim);

test('a request with half a surrogate pair is sent', async () => {
	const sim = await startServer({});
	const half = '👍'.slice(0, 1);
	const json = { model: 'x', messages: [{ role: 'user', content: `cut ${half}` }], max_tokens: 1 };
	const url = `${sim.url}/v1/chat/completions`;
	const status = await fetchStatus(connect(sim.url), url, { json });
	expect(status).toBe(200);
	expect(JSON.stringify(sim.requests[0]!.body)).toContain('cut \uFFFD');
	await closePools();
	await sim.close();
});

test.each([
	['a key', { ['cut \uD83D']: 1 }, { 'cut \uFFFD': 1 }],
	[
		'several values',
		[{ a: 'x\uDFFF\uD800' }, '\uD83D\uDC4D'],
		[{ a: 'x\uFFFD\uFFFD' }, '\uD83D\uDC4D'],
	],
	[
		'a text with an escape',
		['\\ud83d', '\\\\ud83d', '\\\uD83D'],
		['\\ud83d', '\\\\ud83d', '\\\uFFFD'],
	],
])('only unpaired surrogates are replaced: %s', (_name, value, sent) => {
	expect(stringifyBody(value)).toBe(JSON.stringify(sent));
});

test('a text of any length is unchanged except for its unpaired surrogates', () => {
	const part = fc.string({ unit: anyCodePoint, minLength: 1, maxLength: 9 });
	const half = fc.constantFrom('\uD83D', '\uDC4D', '\\ud83d', '"');
	const text = fc
		.tuple(fc.array(fc.oneof(part, half), { minLength: 1, maxLength: 4 }), fc.nat(300_000))
		.map(([parts, length]) => parts.join('').padEnd(length, parts.join('')));
	const values = fc.record({ messages: fc.array(fc.record({ content: text }), { maxLength: 3 }) });
	fc.assert(
		fc.property(values, (value) => {
			const contents = (JSON.parse(stringifyBody(value)) as typeof value).messages.map(
				({ content }) => content,
			);
			const expected = value.messages.map(({ content }) => content.toWellFormed());
			// Comparing by Jest would print long texts.
			expect(contents.map((one, at) => one === expected[at])).toEqual(expected.map(() => true));
		}),
		examples(20),
	);
});

test('an upload that fails at any moment is one rejected promise; an uncaught error would end n8n', async () => {
	let afterMs = 0;
	const origin = await rawServer(
		(_path, socket) => void setTimeout(() => socket.resetAndDestroy(), afterMs),
	);
	const servers = fc.constantFrom(origin, 'http://127.0.0.1:1', origin.replace('http:', 'https:'));
	const moment = fc.integer({ min: 0, max: 20 });
	await fc.assert(
		fc.asyncProperty(
			servers,
			moment,
			moment,
			fc.nat(20),
			async (baseUrl, resetMs, stopMs, pieces) => {
				afterMs = resetMs;
				const stop = new AbortController();
				setTimeout(() => stop.abort(), stopMs);
				const content = stream.Readable.from(
					Array.from({ length: pieces }, () => new Uint8Array(65_536)),
				);
				const upload = { content, contentType: 'audio/wav', length: pieces * 65_536 };
				await expect(
					fetchStatus(connect(baseUrl), `${baseUrl}/x`, { upload, signal: stop.signal }),
				).rejects.toThrow();
				await delay(1);
			},
		),
		examples(30),
	);
	await closePools();
	await closeRawServers();
});
