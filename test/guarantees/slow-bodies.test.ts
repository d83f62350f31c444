/** Promises to users. Sound and files that arrive too slowly end; those of a slow server, with pauses, arrive. */
import type { INodeExecutionData } from 'n8n-workflow';
import type * as http from 'node:http';
import { setImmediate, setTimeout } from 'node:timers';

import { executeNode } from '../nodes/dify';
import type { Answer, ScriptedServer } from '../support/servers/scripted-server';
import { useServers } from '../support/servers/scripted-server';
import { failureOf, run } from './support/node-runner';
import { LLAMA_SERVER } from './support/responses';
import { useClock } from './support/fake-clock';

const start = useServers();
const MINUTE = 60_000;

/** A part of a body: silence before it in milliseconds of the clock, and its bytes. */
interface Part {
	afterMs: number;
	bytes: string | Buffer;
}

interface Operation {
	what: string;
	route: string;
	type: string;
	/** Its idle timeout. */
	idleMs: number;
	/** Bytes per second. */
	minRate: number;
	/** How the body begins and ends. */
	begin: string;
	end?: string;
	run(server: ScriptedServer, parameters?: object): Promise<INodeExecutionData[]>;
}

const FILE_ID = '5e0c1d7b-7a40-4b0c-9d1e-5b2f8a6c7d90';
const WAV = `RIFF\xff\xff\xff\x7fWAVEfmt ${'\0'.repeat(200)}`;
const PNG = Buffer.concat([
	Buffer.from('89504e470d0a1a0a0000000d49484452', 'hex'),
	Buffer.alloc(30_000),
]);

const OPERATIONS: Operation[] = [
	{
		what: 'Speak',
		route: 'POST /v1/audio/speech',
		type: 'audio/mpeg',
		idleMs: 5 * MINUTE,
		minRate: 64,
		begin: `ID3${'x'.repeat(200)}`,
		run: async ({ url }, parameters) =>
			await run(url, 'audio:speak', { parameters: { text: 'Hi', ...parameters } }),
	},
	{
		what: 'Speak, of a WAV file whose length the server does not know',
		route: 'POST /v1/audio/speech',
		type: 'audio/wav',
		idleMs: 5 * MINUTE,
		minRate: 64,
		begin: WAV,
		run: async ({ url }, parameters) =>
			await run(url, 'audio:speak', { parameters: { text: 'Hi', ...parameters } }),
	},
	{
		what: 'Generate an image',
		route: 'POST /v1/images/generations',
		type: 'application/json',
		idleMs: 5 * MINUTE,
		minRate: 512,
		begin: `{"data":[{"b64_json":"${PNG.toString('base64')}`,
		end: '"}]}',
		run: async ({ url }, parameters) =>
			await run(url, 'image:generate', { parameters: { prompt: 'A bike', ...parameters } }),
	},
	{
		what: 'Dify: Speak',
		route: 'POST /v1/text-to-audio',
		type: 'audio/mpeg',
		idleMs: 2 * MINUTE,
		minRate: 64,
		begin: `ID3${'x'.repeat(200)}`,
		run: async ({ url }) =>
			await executeNode(
				'difyApp',
				{ url },
				{ parameters: { resource: 'audio', operation: 'speak', source: 'text', text: 'Hi' } },
			),
	},
	{
		what: 'Dify: Download',
		route: `GET /v1/files/${FILE_ID}/preview`,
		type: 'application/octet-stream',
		idleMs: MINUTE,
		minRate: 512,
		begin: 'file',
		run: async ({ url }) =>
			await executeNode(
				'difyApp',
				{ url },
				{
					parameters: {
						resource: 'file',
						operation: 'download',
						fileId: FILE_ID,
						binaryPropertyOutput: 'data',
					},
				},
			),
	},
];

describe('a body with a minimum rate', () => {
	const clock = useClock();

	/** A server that sends the parts by the clock; of a function, parts until the connection is closed. */
	async function serveParts({ route, type, begin, end = '' }: Operation, parts: Part[] | Part) {
		let closed = false;
		const send = async (response: http.ServerResponse) => {
			const pass = async (ms: number) =>
				await new Promise((resolve) => {
					setTimeout(resolve, ms);
				});
			for (let at = 0; !closed && (!Array.isArray(parts) || at < parts.length); at++) {
				const { afterMs, bytes } = Array.isArray(parts) ? parts[at]! : parts;
				await pass(afterMs);
				if (!closed) response.write(bytes);
			}
			if (!closed) response.end(end);
		};
		const answer: Answer = (_request, response) => {
			response.on('close', () => (closed = true));
			response.writeHead(200, { 'content-type': type });
			response.write(Buffer.from(begin, 'latin1'));
			void send(response);
		};
		return await start({ ...LLAMA_SERVER, [route]: answer });
	}

	/** Lets the clock run until the work is done; its minutes. */
	async function measure(work: Promise<unknown>): Promise<number> {
		let passedMs = 0;
		let isDone = false;
		const done = () => (isDone = true);
		work.then(done, done);
		for (; !isDone && passedMs < 90 * MINUTE; passedMs += 1_000) {
			await clock.pass(1_000);
			if (passedMs % 20_000 === 0) await new Promise((resolve) => setImmediate(resolve));
		}
		return passedMs / MINUTE;
	}

	test.each(OPERATIONS)('4 bytes every 200 ms end as too slow: $what', async (operation) => {
		const server = await serveParts(operation, { afterMs: 200, bytes: 'xxxx' });
		const failed = failureOf(operation.run(server));
		const minutes = await measure(failed);
		expect((await failed).message).toMatch(
			new RegExp(
				`too slow: less than ${operation.minRate} bytes per second arrived for \\d+ (?:s|minutes)$`,
			),
		);
		expect(minutes).toBeGreaterThan(operation.idleMs / MINUTE - 0.1);
		expect(minutes).toBeLessThan((2 * operation.idleMs) / MINUTE);
	});

	test.each(OPERATIONS)(
		'as many bytes as the minimum, with long pauses, arrive: $what',
		async (operation) => {
			const { idleMs, minRate } = operation;
			const part = { afterMs: idleMs - 2_000, bytes: 'x'.repeat((minRate * idleMs) / 1_000) };
			const server = await serveParts(operation, [part, part, part, part]);
			const work = operation.run(server);
			const minutes = await measure(work);
			expect(await work).toMatchObject([{ binary: { data: {} } }]);
			expect(minutes).toBeGreaterThan((3.8 * idleMs) / MINUTE);
		},
	);

	test.each(OPERATIONS)(
		'silence for the idle timeout is no slow rate: $what',
		async (operation) => {
			const { idleMs } = operation;
			const part = { afterMs: 1_000, bytes: 'x'.repeat(700_000) };
			const server = await serveParts(operation, [part, { afterMs: 2 * idleMs, bytes: 'x' }]);
			const failed = failureOf(operation.run(server));
			const minutes = await measure(failed);
			expect((await failed).message).toMatch(/stalled: nothing arrived for \d+ (?:s|minutes)/);
			expect(minutes).toBeLessThan((1.2 * idleMs) / MINUTE);
		},
	);

	describe('blanks with which a gateway keeps a connection open', () => {
		const image = OPERATIONS.find(({ what }) => what === 'Generate an image')!;
		const operation = { ...image, begin: ' ' };
		const blank = { afterMs: 15_000, bytes: ' ' };

		test('have no rate: the image arrives after ten minutes', async () => {
			const whole = { afterMs: 1_000, bytes: `${image.begin}${image.end!}` };
			const blanks = Array.from({ length: 40 }, () => blank);
			const server = await serveParts({ ...operation, end: '' }, [...blanks, whole]);
			const work = operation.run(server);
			expect(await measure(work)).toBeGreaterThan(9.9);
			expect(await work).toMatchObject([{ binary: { data: {} } }]);
		});

		test('without end are no content', async () => {
			const failed = failureOf(operation.run(await serveParts(operation, blank)));
			expect(await measure(failed)).toBeLessThan(31);
			expect((await failed).message).toContain('within the First Token Timeout');
		});
	});

	test('tokens of a slow server need none: one every four minutes', async () => {
		const operation = {
			...OPERATIONS[0]!,
			route: 'POST /v1/completions',
			type: 'text/event-stream',
			begin: '',
			end: 'data: [DONE]\n\n',
		};
		const token = { choices: [{ index: 0, text: 'a', finish_reason: null }] };
		const part = { afterMs: 4 * MINUTE, bytes: `data: ${JSON.stringify(token)}\n\n` };
		const last = { choices: [{ index: 0, text: 'b', finish_reason: 'stop' }] };
		const server = await serveParts(operation, [
			...Array.from({ length: 9 }, () => part),
			{ afterMs: 4 * MINUTE, bytes: `data: ${JSON.stringify(last)}\n\n` },
		]);
		const work = run(server.url, 'text:complete', { parameters: { prompt: 'Hi' } });
		expect(await measure(work)).toBeGreaterThan(39);
		expect(await work).toMatchObject([{ json: { output: 'aaaaaaaaab' } }]);
	});

	test.each(OPERATIONS.slice(0, 3))('the Total Timeout ends it: $what', async (operation) => {
		const server = await serveParts(operation, { afterMs: 1_000, bytes: 'x'.repeat(5_000) });
		const parameters = { options: { totalTimeout: 60 } };
		const failed = failureOf(operation.run(server, parameters));
		expect(await measure(failed)).toBeLessThan(1.1);
		expect((await failed).message).toBe('The response took longer than 60 s (Total Timeout)');
	});
});
