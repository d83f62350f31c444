/** What a generation does with its execution: the deltas, the totals, the log, its error and its end. */
import path from 'node:path';
import type { ChatRequest } from '../../../lib/chat/chat-request';
import { createServerError } from '../../../lib/errors/create-error';
import { asServerErrorOrThrow } from '../../../lib/errors/server-error';
import { createModelServer } from '../../../lib/servers/endpoint';
import { createGenerator } from '../../../nodes/LocalChatModel/generator';
import type { ChatExecution } from '../../../nodes/LocalChatModel/execution';
import { PLAIN_SETTINGS } from '../../lib/chat/chat-settings';
import {
	calls,
	CHAT,
	delta,
	LLAMA_SERVER,
	streamed,
	stuckAfter,
	text,
	usage,
} from '../../guarantees/support/responses';
import { expectApproved } from '../../support/approved/approved-table';
import { json, useServers } from '../../support/servers/scripted-server';
import type { Answer } from '../../support/servers/scripted-server';
import { describeError, markWords } from '../../support/approved/outcome';
import { toInput, toTool } from '../../support/texts/messages';
import { NO_EXECUTION } from '../../support/n8n/node-host';

const start = useServers();

/** When a generation is stopped: before it, or after its first text; by n8n, or by the caller. */
type Stop =
	| 'before, by n8n'
	| 'after text, by n8n'
	| 'before, by the caller'
	| 'after text, by the caller';

interface Generation {
	name: string;
	answer: Answer;
	chatRequest?: Partial<ChatRequest>;
	tokenBudget?: number;
	/** Tokens of the execution before. */
	totals?: [tokensIn: number, tokensOut: number];
	maxTools?: number;
	model?: string;
	stop?: Stop;
}

const TOOLS = ['weather', 'mail', 'calendar'].map((name) => toTool({ name, schema: {} }));

const FAILING = json({ error: { message: 'Out of cards' } }, 500);
const FAILING_LATE = streamed(delta({ content: 'Hi' }), { error: { message: 'Out of cards' } });
const THOUGHT = streamed(
	delta({ reasoning_content: 'Hmm' }),
	delta({ content: 'Hi' }),
	delta({}, 'stop'),
	usage(undefined, { timings: { predicted_n: 9, predicted_per_second: 7.25, cache_n: 3 } }),
);

const GENERATIONS: readonly Generation[] = [
	{ name: 'text', answer: text('Hi there') },
	{ name: 'thinking and timings', answer: THOUGHT },
	{ name: 'a call', answer: calls(['1', 'weather', '{}']), chatRequest: { tools: TOOLS } },
	{ name: 'a failure before text', answer: FAILING },
	{ name: 'a failure after text', answer: FAILING_LATE },
	{ name: 'no model', answer: text('Hi'), model: '' },
	...(
		[
			'before, by n8n',
			'after text, by n8n',
			'before, by the caller',
			'after text, by the caller',
		] as const
	).map((stop) => ({
		name: `stopped ${stop}`,
		answer: stuckAfter(delta({ content: 'Hi' })),
		stop,
	})),
	{ name: 'a budget with one token left', answer: text('Hi'), tokenBudget: 10, totals: [5, 4] },
	{ name: 'a budget that is used up', answer: text('Hi'), tokenBudget: 10, totals: [5, 5] },
	{
		name: 'a budget without counts',
		answer: streamed(delta({ content: 'Hi' }, 'stop')),
		tokenBudget: 10,
	},
	{
		name: 'as many tools as may be offered',
		answer: text('Hi'),
		maxTools: 3,
		chatRequest: { tools: TOOLS },
	},
	{
		name: 'more tools than may be offered',
		answer: text('Hi'),
		maxTools: 2,
		chatRequest: {
			tools: TOOLS,
			messages: [toInput({ type: 'human', content: 'What is in my calendar?' })],
		},
	},
];

/** An execution that notes what it is told. */
class NotedExecution {
	readonly notes: unknown[] = [];
	readonly stop = new AbortController();

	constructor(private readonly totals: readonly [number, number]) {}

	get stopSignal(): AbortSignal {
		return this.stop.signal;
	}

	/** What a person put in is that of the execution. */
	checkInput(): void {}

	beginWork(): () => void {
		this.notes.push('begin');
		return () => void this.notes.push('end');
	}

	readTotals() {
		const [tokensIn, tokensOut] = this.totals;
		return { tokensIn, tokensOut };
	}

	report(result: { text: string }, summary: string): void {
		// A measured speed is another one each time; that of the server has one decimal.
		const known = summary
			.replace(/second: (?!7\.3\b)[\d.]+/, 'second: measured')
			// Who answered, which test/guarantees/usage.test.ts shows.
			.replace(/(?:, m|M)odel: .*$/, '');
		this.notes.push(`report "${result.text}"`, known);
	}

	reportError(error: unknown): unknown {
		const { type, message, detail } = asServerErrorOrThrow(error);
		this.notes.push(`${type}${markWords([message, detail])}`);
		return createServerError('aborted', {}, { inputWords: { title: 'As n8n shows it' } });
	}
}

const generate = async (generation: Generation, url: string): Promise<unknown> => {
	const { chatRequest, tokenBudget = 0, totals = [0, 0], maxTools = 0, model, stop } = generation;
	const execution = new NotedExecution(totals);
	const caller = new AbortController();
	const stops = stop?.endsWith('n8n') === true ? execution.stop : caller;
	if (stop?.startsWith('before') === true) stops.abort(new Error('Stop'));
	const run = createGenerator({
		server: createModelServer({ baseUrl: url }, NO_EXECUTION),
		settings: { ...PLAIN_SETTINGS, model: model ?? PLAIN_SETTINGS.model },
		limits: { maxTools, tokenBudget },
		execution: execution as unknown as ChatExecution,
	});
	const deltas: string[] = [];
	const outcome = await run(
		() => ({
			messages: [toInput({ type: 'human', content: 'Hi' })],
			signal: caller.signal,
			...chatRequest,
		}),
		(part) => {
			deltas.push(part);
			if (stop?.startsWith('after') === true) stops.abort(new Error('Stop'));
		},
	).then(
		({ warnings, logFields }) => ({
			warnings,
			offered: logFields?.toolsOffered,
			omitted: logFields?.toolsOmitted,
		}),
		describeError,
	);
	return { deltas: deltas.join(''), notes: execution.notes, outcome };
};

test('each generation tells its execution what became of it', async () => {
	const rows = [];
	for (const generation of GENERATIONS) {
		const server = await start({ ...LLAMA_SERVER, [`POST ${CHAT}`]: generation.answer });
		rows.push({
			input: generation.name,
			outcome: {
				...((await generate(generation, server.url)) as object),
				requests: server.sent(CHAT).length,
			},
		});
	}
	expectApproved(
		path.join(__dirname, 'generator.approved.txt'),
		rows,
		'An execution is told what became of a generation',
	);
});
