/** Each call of a stream waits until n8n has taken what it sends, so that chunks keep their order and no failure is lost. */
import type { IExecuteFunctions } from 'n8n-workflow';
import { ChatStream } from '../../../lib/n8n/chat-stream';
import { createDeferred } from '../../support/waiting/deferred';

/** A call, with the chunks that it waits for. */
interface Call {
	name: string;
	call(stream: ChatStream): Promise<void>;
	waitsFor: readonly string[];
}

const replace = { type: 'replace', text: 'b' } as const;

const CALLS: readonly Call[] = [
	{ name: 'begin', call: async (stream) => await stream.begin(), waitsFor: ['begin'] },
	{ name: 'write', call: async (stream) => await stream.write('a'), waitsFor: ['begin', 'item'] },
	{
		name: 'show',
		call: async (stream) => await stream.show([replace]),
		waitsFor: ['begin', 'item'],
	},
	{
		name: 'a second text that replaces the first',
		call: async (stream) => {
			await stream.write('a');
			await stream.show([replace]);
		},
		waitsFor: ['begin', 'item', 'end', 'begin', 'item'],
	},
	{
		name: 'end',
		call: async (stream) => {
			await stream.write('a');
			await stream.end();
		},
		waitsFor: ['begin', 'item', 'end'],
	},
];

const steps = CALLS.flatMap(({ waitsFor, ...call }) =>
	waitsFor.map((chunk, at) => ({ ...call, chunk, at, sent: waitsFor.slice(0, at + 1) })),
);

/** n8n, which does with one chunk what the test says. */
function streamWith(at: number, take: () => Promise<void>) {
	const sent: string[] = [];
	const sendChunk = (type: string) => {
		sent.push(type);
		const taken = sent.length === at + 1 ? take() : Promise.resolve();
		// One that nobody waits for would end the process.
		taken.catch(() => {});
		return taken;
	};
	return { stream: new ChatStream({ sendChunk } as unknown as IExecuteFunctions, 0), sent };
}

test.each(steps)(
	'$name sends nothing after $sent until n8n has taken it',
	async ({ call, at, sent }) => {
		const taken = createDeferred();
		const played = streamWith(at, async () => await taken.wait);
		let isDone = false;
		const done = call(played.stream).then(() => (isDone = true));
		await new Promise(setImmediate);
		expect({ sent: played.sent, isDone }).toEqual({ sent, isDone: false });
		taken.open();
		await done;
	},
);

test.each(steps)('$name fails if n8n does not take $chunk number $at', async ({ call, at }) => {
	const { stream } = streamWith(at, async () => await Promise.reject(new Error('n8n is gone')));
	await expect(call(stream)).rejects.toThrow('n8n is gone');
});
