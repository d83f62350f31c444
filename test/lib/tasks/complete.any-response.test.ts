/** Texts that a server continues: each stream with each setting, what is shown of it, and the result or the error. */
import { completeText } from '../../../lib/tasks/complete';
import type { CompleteSettings } from '../../../lib/tasks/complete';
import { expectApproved } from '../../support/approved/approved-table';
import { useServers } from '../../support/servers/scripted-server';
import { sse } from '../../guarantees/support/responses';
import { playResponses } from './play-responses';
import path from 'node:path';

const start = useServers();
const SETTINGS: CompleteSettings = {
	model: 'sim-model',
	priority: 'interactive',
	retries: 0,
	sampling: {},
};
const part = (text: string, finish: string | null = null, more = {}) => ({
	model: 'sim-model',
	choices: [{ index: 0, text, finish_reason: finish }],
	...more,
});
const USAGE = { choices: [], usage: { prompt_tokens: 3, completion_tokens: 2, total_tokens: 5 } };

interface Case {
	events: Array<object | string>;
	settings?: Partial<CompleteSettings>;
	prompt?: string | number[];
	/** Whether somebody reads the text while it is written. Default: no. */
	isShown?: boolean;
	/** In place of the events. */
	body?: unknown;
	status?: number;
}

const CASES: Readonly<Record<string, Case>> = {
	'a text': { events: [part('One '), part('two.', 'stop'), USAGE, '[DONE]'] },
	'a text that is shown': {
		events: [part('One '), part('two.', 'stop'), USAGE, '[DONE]'],
		isShown: true,
	},
	'a text that may be a tag': {
		events: [part('One <'), part('', 'stop'), '[DONE]'],
		isShown: true,
	},
	'a text that ends in a tag': {
		events: [part('One <thi'), part('', 'stop'), '[DONE]'],
		isShown: true,
	},
	'thinking is text': { events: [part('<think>a</think>b', 'stop'), '[DONE]'], isShown: true },
	'only blanks': { events: [part('\n \n', 'stop'), '[DONE]'], isShown: true },
	'no text, but why it ended': { events: [part('', 'stop'), USAGE, '[DONE]'] },
	'no text, but counts': { events: [USAGE, '[DONE]'] },
	nothing: { events: ['[DONE]'] },
	'the limit': { events: [part('One ', 'length'), USAGE, '[DONE]'] },
	'no end': { events: [part('One ')], isShown: true },
	'an error after a text': {
		events: [part('One '), { error: { message: 'no memory' } }],
		isShown: true,
	},
	'an error at once': { events: [{ error: { message: 'no memory' } }] },
	'another model': { events: [part('a', 'stop', { model: 'other' }), '[DONE]'] },
	'several settings': {
		events: [part('a', 'stop'), '[DONE]'],
		settings: {
			sampling: {
				temperature: 0,
				maxTokens: 7,
				topK: 3,
				stop: ['END'],
				seed: 0,
				extraBody: { temperature: 1, top_n: 2 },
			},
		},
	},
	'tokens as a prompt': { events: [part('a', 'stop'), '[DONE]'], prompt: [1, 2, 3] },
	'a prompt that was cut': {
		events: [
			part('a', 'stop'),
			{ choices: [], usage: { prompt_tokens: 1, completion_tokens: 1, total_tokens: 2 } },
			'[DONE]',
		],
		prompt: 'many words '.repeat(200),
	},
	'no model': { events: [], settings: { model: '' } },
	'a whole response': {
		events: [],
		body: {
			model: 'sim-model',
			choices: [{ index: 0, text: 'One two.', finish_reason: 'stop' }],
			usage: USAGE.usage,
		},
		isShown: true,
	},
	'an error response': { events: [], body: { error: { message: 'no such thing' } }, status: 400 },
	'a missing route': { events: [], body: { error: { message: 'Not Found' } }, status: 404 },
};

test('each response', async () => {
	const rows = [];
	for (const [input, given] of Object.entries(CASES)) {
		const { events, settings, prompt = 'P', isShown = false, body, status } = given;
		const shown: string[] = [];
		const outcome = await playResponses({
			start,
			path: '/v1/completions',
			responses: [
				body === undefined
					? { body: sse(...events), type: 'text/event-stream' }
					: { body, ...(status !== undefined && { status }) },
			],
			show: ({ text }) => (text.length > 400 ? `${text.length} characters` : text),
			call: async (server) =>
				await completeText(
					server,
					{ ...SETTINGS, ...settings },
					{ prompt, ...(isShown && { onDelta: async (delta: string) => void shown.push(delta) }) },
				),
		});
		rows.push({
			input,
			outcome: [outcome, ...(isShown ? [`shown ${JSON.stringify(shown)}`] : [])].join(' ; '),
		});
	}
	expectApproved(
		path.join(__dirname, 'complete.any-response.approved.txt'),
		rows,
		'A continued text is shown as it arrives, and kept if it fails',
	);
});
