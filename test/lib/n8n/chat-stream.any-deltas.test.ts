/** What n8n's chat shows of any changes of a text: its messages, in order. */
import type { IExecuteFunctions } from 'n8n-workflow';

import { ChatStream } from '../../../lib/n8n/chat-stream';
import { expectApproved } from '../../support/approved/approved-table';
import { createDraws } from '../../support/jest/draws';
import path from 'node:path';

const { oneOf, count } = createDraws(5);

type Delta = Parameters<ChatStream['show']>[0][number];

/** Calls of a stream by their name. */
const CALLS: Readonly<Record<string, (stream: ChatStream) => Promise<void>>> = {
	begin: async (stream) => await stream.begin(),
	end: async (stream) => await stream.end(),
	line: async (stream) => await stream.breakLine(),
	'write a': async (stream) => await stream.write('a'),
	'write nothing': async (stream) => await stream.write(''),
};
const DELTAS: readonly Delta[] = [
	{ type: 'append', text: 'b' },
	{ type: 'append', text: '' },
	{ type: 'replace', text: 'c' },
	{ type: 'replace', text: '' },
	{ type: 'restate', text: 'd' },
];
const describeDelta = ({ type, text }: Delta): string => `${type} "${text}"`;

test('made-up calls', async () => {
	const outcomes = new Map<string, string>();
	for (let at = 0; at < 120; at++) {
		const shown: string[] = [];
		const context = {
			sendChunk: async (type: string, _itemIndex: number, text?: string) =>
				void shown.push(type === 'item' ? JSON.stringify(text) : type),
		} as unknown as IExecuteFunctions;
		const stream = new ChatStream(context, 0);
		const names: string[] = [];
		for (let calls = count(1, 5); calls > 0; calls--) {
			if (count(0, 1) === 0) {
				const name = oneOf(Object.keys(CALLS));
				names.push(name);
				await CALLS[name]!(stream);
				continue;
			}
			const deltas = Array.from({ length: count(1, 3) }, () => oneOf(DELTAS));
			names.push(`[${deltas.map(describeDelta).join(', ')}]`);
			await stream.show(deltas);
		}
		await stream.end();
		outcomes.set(names.join(' '), shown.join(' '));
	}
	const rows = [...outcomes].map(([input, outcome]) => ({ input, outcome }));
	expectApproved(
		path.join(__dirname, 'chat-stream.any-deltas.approved.txt'),
		rows,
		'A chat shows each piece of a text once, in order',
	);
});
