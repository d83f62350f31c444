/** Labels from completions of any kind: which label counts, how sure it is, what is sent, and the second request. */
import { classify } from '../../../lib/tasks/classify';
import type { ClassifySettings } from '../../../lib/tasks/classify-request';
import { expectApproved } from '../../support/approved/approved-table';
import { json, useServers } from '../../support/servers/scripted-server';
import { playResponses } from './play-responses';
import path from 'node:path';
import { toInput } from '../../support/texts/messages';

const start = useServers();
const SETTINGS: ClassifySettings = {
	model: 'sim-model',
	priority: 'interactive',
	retries: 0,
	sampling: { temperature: 0 },
};
type Token = readonly [
	token: string,
	...alternatives: Array<readonly [token: string, logprob: number]>,
];

const completion = (
	content: string,
	{ tokens = [], more = {} }: { tokens?: Token[]; more?: object } = {},
) => ({
	model: 'sim-model',
	choices: [
		{
			message: { role: 'assistant', content },
			finish_reason: 'stop',
			...(tokens.length > 0 && {
				logprobs: {
					content: tokens.map(([token, ...top]) => ({
						token,
						logprob: top[0]?.[1] ?? 0,
						top_logprobs: top.map(([option, logprob]) => ({ token: option, logprob })),
					})),
				},
			}),
			...more,
		},
	],
	usage: { prompt_tokens: 3, completion_tokens: 1, total_tokens: 4 },
});
const LABELS = [
	{ name: 'billing' },
	{ name: 'other', description: 'all\nelse' },
	{ name: 'Sales, new' },
];

interface Case {
	responses: unknown[];
	labels?: Array<{ name: string; description?: string }>;
	isMultiLabel?: boolean;
	allowNone?: boolean;
	instructions?: string;
	settings?: Partial<ClassifySettings>;
	/** Of an unknown server. Default: llama-server. */
	isOther?: boolean;
	status?: number;
}

/** What each request has. */
const USUAL = ',"chat_template_kwargs":{"enable_thinking":false},"logprobs":true,"top_logprobs":20';
const RULE = 'Decide which of these categories the text of the user belongs to.';

const SURE: Token = ['A', ['A', Math.log(0.8)], [' A', Math.log(0.1)], ['B', Math.log(0.1)]];

const CASES: Readonly<Record<string, Case>> = {
	'a key': { responses: [completion('B')] },
	'a name': { responses: [completion('Billing.')] },
	'a key with its name': { responses: [completion('A: billing')] },
	'a key with another name': { responses: [completion('A: other'), completion('C')] },
	'after words': { responses: [completion('I think so.\nThe answer is: other')] },
	'two different lines': { responses: [completion('billing\nother'), completion('B')] },
	'no label twice': { responses: [completion('maybe'), completion('who knows')] },
	'no label, then one': { responses: [completion('maybe'), completion('A', { tokens: [SURE] })] },
	nothing: { responses: [completion(''), completion('A')] },
	'one label, several alternatives': { responses: [completion('A', { tokens: [SURE] })] },
	'alternatives of no label': {
		responses: [completion('A', { tokens: [['A', ['A', -1], ['x', -1], ['B', -1]]] })],
	},
	'one alternative': { responses: [completion('A', { tokens: [['A', ['A', -1]]] })] },
	'thinking before the label': {
		responses: [completion('A', { tokens: [['Hm', ['Hm', 0], ['A', -1]], SURE] })],
	},
	'JSON in place of a key': { responses: [completion('{"label":"other"}')] },
	'two keys, one label': { responses: [completion('A,B'), completion('A')] },
	'two keys': { responses: [completion('B,A')], isMultiLabel: true },
	'two keys with probabilities': {
		responses: [
			completion('B,A', {
				tokens: [['B', ['B', -0.5], ['A', -1]], [','], ['A', ['A', -0.1], ['B', -3]]],
			}),
		],
		isMultiLabel: true,
	},
	'a name with a comma': { responses: [completion('Sales, new')], isMultiLabel: true },
	'none of them': {
		responses: [completion('D', { tokens: [['D', ['D', -0.1], ['A', -2]]] })],
		allowNone: true,
	},
	'none and a label': {
		responses: [completion('D,A'), completion('A')],
		allowNone: true,
		isMultiLabel: true,
	},
	'none of several': { responses: [completion('D')], allowNone: true, isMultiLabel: true },
	'labels that are keys': {
		responses: [completion('B')],
		labels: [{ name: 'B' }, { name: 'A' }, { name: 'z' }],
	},
	instructions: { responses: [completion('A')], instructions: 'Be strict.' },
	'a limit of tokens': {
		responses: [completion('A')],
		settings: { sampling: { maxTokens: 50, extraBody: { top_p: 1 } } },
	},
	'an unknown server': { responses: [completion('A')], isOther: true },
	'one label': { responses: [completion('A')], labels: [{ name: 'x' }] },
	'a label twice': { responses: [completion('A')], labels: [{ name: 'x' }, { name: ' X' }] },
	'a blank label': { responses: [completion('A')], labels: [{ name: 'x' }, { name: ' ' }] },
	'62 labels': {
		responses: [completion('0')],
		labels: Array.from({ length: 62 }, (_none, at) => ({ name: `n${at}` })),
	},
	'63 labels': {
		responses: [completion('A')],
		labels: Array.from({ length: 63 }, (_none, at) => ({ name: `n${at}` })),
	},
	'62 labels and none': {
		responses: [completion('A')],
		labels: Array.from({ length: 62 }, (_none, at) => ({ name: `n${at}` })),
		allowNone: true,
	},
	'no model': { responses: [], settings: { model: '' } },
	'an error': { responses: [{ error: { message: 'no memory' } }], status: 400 },
};

test('each completion', async () => {
	const rows = [];
	for (const [input, given] of Object.entries(CASES)) {
		const {
			responses,
			labels = LABELS,
			isMultiLabel = false,
			allowNone = false,
			instructions = '',
			settings,
			isOther,
			status = 200,
		} = given;
		const outcome = await playResponses({
			start,
			path: '/v1/chat/completions',
			responses: responses.map((body) => ({ body, status })),
			...(isOther === true && {
				routes: { 'GET /v1/models': json({ data: [{ id: 'sim-model' }] }) },
			}),
			show: ({ text, body }) => {
				if (labels.length > 9) return `${text.length} characters`;
				return JSON.stringify(body).replaceAll(USUAL, '…').replaceAll(RULE, '…');
			},
			call: async (server) =>
				await classify(
					server,
					{ ...SETTINGS, ...settings },
					{
						input: toInput({ type: 'human', content: 'T' }),
						labels,
						isMultiLabel,
						allowNone,
						instructions: { text: instructions, origin: 'author' },
						labelOrigin: 'author',
					},
				),
		});
		rows.push({ input, outcome });
	}
	expectApproved(
		path.join(__dirname, 'classify.approved.txt'),
		rows,
		'A label counts only if the model named it',
	);
});
