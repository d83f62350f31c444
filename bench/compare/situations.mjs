/**
 * Situations that chat models meet with local models and servers. Each is provoked in the same way for every contestant
 * and judged by the same rule.
 */
import { freePort } from '../../scripts/lib/ports.mjs';
import { ask } from './ask.mjs';
import { answerOf, cost, counted, duration, errorText, result, toolRuns } from './cells.mjs';
import {
	askForProduct,
	answers,
	breaks,
	failsSaying,
	inputs,
	keepsTo,
	oneCall,
	silentFor,
	stops,
	askThroughTap,
	typedAs,
} from './provoke.mjs';
import { ANSWERS, THOUGHT } from './script.mjs';
import { callsThen, says } from './streams.mjs';

/** @typedef {import('./types').Situation} Situation */

const OTHER_FORM = "Ollama's own protocol has another form for this";
const SCHEMA = {
	type: 'object',
	properties: { colour: { enum: ['red', 'blue'] } },
	required: ['colour'],
	additionalProperties: false,
};

/** @type {Situation[]} */
export const SITUATIONS = [
	typedAs('Base URL typed as `http://host:8080`, llama-server', (url) => url),
	typedAs(
		'Base URL typed as `http://host:8080`, server that answers under `/v1` only (as Ollama and vLLM do)',
		(url) => url,
		{ onlyV1: true },
	),
	typedAs('Base URL typed as `http://host:8080/v1`', (url) => `${url}/v1`),
	typedAs(
		'Base URL typed as `http://host:8080/v1/chat/completions`',
		(url) => `${url}/v1/chat/completions`,
	),
	{
		title: '`<think>…</think>` inside the answer (llama-server with `--reasoning-format none`)',
		wanted: 'the answer without the thinking',
		run: async (environment, contestant) =>
			await askThroughTap(
				environment,
				contestant,
				{ upstream: environment.unparsed },
				{ text: 'plan something' },
				answers(ANSWERS.plan),
			),
	},
	oneCall('Tool call in a chat that streams', true),
	oneCall('Tool call in a workflow that does not stream', false),
	{
		title: 'Thinking before a tool call: to the user',
		wanted: 'in the execution log, and not in the answer',
		run: async (environment, contestant) =>
			await askForProduct(environment, contestant, (outcome, tap) => {
				const logged = outcome.log.includes(THOUGHT);
				return {
					right: logged && !answerOf(outcome).includes(THOUGHT),
					says: [
						...result(outcome),
						logged ? 'thinking in the log' : 'no thinking in the log',
						cost(outcome, tap),
					],
				};
			}),
	},
	{
		title: 'Thinking before a tool call: to the model',
		wanted: 'sent back once, with the result of the tool, as chat templates expect',
		run: async (environment, contestant) =>
			await askForProduct(environment, contestant, (outcome, tap) => {
				const back = JSON.stringify(tap.requests[1]?.body ?? {}).split(THOUGHT).length - 1;
				return {
					right: back === 1,
					says: [
						back === 0
							? 'not sent back'
							: `sent back ${back === 1 ? 'once' : counted(back, 'time')}`,
						cost(outcome, tap),
					],
				};
			}),
	},
	{
		title: 'Answer of nothing but thinking, ended by the model',
		wanted: 'an error that says so',
		run: async (environment, contestant) =>
			await askThroughTap(environment, contestant, {}, { text: 'ponder' }, failsSaying(/think/i)),
	},
	{
		title: 'Answer of nothing but thinking, ended by the token limit',
		wanted: 'an error that says so',
		run: async (environment, contestant) =>
			await askThroughTap(
				environment,
				contestant,
				{},
				{ text: 'ponder', maxTokens: 4 },
				failsSaying(/think/i),
			),
	},
	{
		title: 'Empty answer',
		wanted: 'an error',
		run: async (environment, contestant) =>
			await askThroughTap(
				environment,
				contestant,
				{},
				{ text: 'say nothing' },
				failsSaying(/empty/i),
			),
	},
	{
		title: 'Tool call cut by the token limit',
		wanted: 'an error, and the tool not run',
		without: { ollama: OTHER_FORM },
		run: async (environment, contestant) =>
			await askThroughTap(
				environment,
				contestant,
				{},
				{ text: 'a long sum', calculator: true, maxTokens: 14 },
				(outcome, tap) => ({
					right: outcome.error !== undefined && outcome.tools.length === 0,
					says: [...toolRuns(outcome), ...result(outcome), cost(outcome, tap)],
				}),
			),
	},
	{
		title: 'Tool call whose arguments are no JSON: `{"input": 17*23}`',
		wanted: 'an error, and the tool not run',
		without: { ollama: OTHER_FORM },
		run: async (environment, contestant) =>
			await askThroughTap(
				environment,
				contestant,
				{
					faults: {
						answer: callsThen(
							[
								{ call: 0, name: 'Calculator' },
								{ call: 0, args: '{"input": ' },
								{ call: 0, args: '17*23}' },
							],
							'There it is.',
						),
					},
				},
				{ text: 'calculate', calculator: true },
				(outcome, tap) => ({
					right: outcome.error !== undefined && outcome.tools.length === 0,
					says: [...toolRuns(outcome), ...result(outcome), cost(outcome, tap)],
				}),
			),
	},
	{
		title: 'Two tool calls in one answer',
		wanted: 'both run, each with its own arguments',
		run: async (environment, contestant) =>
			await askThroughTap(
				environment,
				contestant,
				{},
				{ text: 'what are both products?', calculator: true },
				(outcome, tap) => ({
					right:
						outcome.tools.length === 2 &&
						/17\*23.*6\*7/.test(inputs(outcome)) &&
						answerOf(outcome).trim() === ANSWERS.product,
					says: [...toolRuns(outcome), ...result(outcome), cost(outcome, tap)],
				}),
			),
	},
	{
		title: 'Two tool calls whose pieces come interleaved',
		wanted: 'both run, each with its own arguments',
		without: { ollama: OTHER_FORM },
		run: async (environment, contestant) =>
			await askThroughTap(
				environment,
				contestant,
				{
					faults: {
						answer: callsThen(
							[
								...[0, 1].map((call) => ({ call, name: 'Calculator' })),
								...[0, 1].map((call) => ({ call, args: '{"input": ' })),
								...['17*', '6*'].map((args, call) => ({ call, args: `"${args}` })),
								...['23"}', '7"}'].map((args, call) => ({ call, args })),
							],
							ANSWERS.product,
						),
					},
				},
				{ text: 'calculate', calculator: true },
				(outcome, tap) => ({
					right:
						outcome.tools.length === 2 &&
						/17\*23.*6\*7/.test(inputs(outcome)) &&
						answerOf(outcome).trim() === ANSWERS.product,
					says: [...toolRuns(outcome), ...result(outcome), cost(outcome, tap)],
				}),
			),
	},
	breaks(
		'Error in the middle of the stream, under status 200',
		{ endAfterText: 6, end: 'error' },
		/compute error/i,
	),
	breaks(
		'Connection cut in the middle of the stream',
		{ endAfterText: 6, end: 'cut' },
		/connection|terminated|socket|closed/i,
	),
	{
		title: 'Model still loading: 503 for 8 seconds',
		wanted: 'the answer, once it is loaded',
		without: { ollama: 'Ollama holds the request while it loads' },
		run: async (environment, contestant) =>
			await askThroughTap(
				environment,
				contestant,
				{ faults: { loadingMs: 8000 } },
				{ text: 'greet me' },
				answers(ANSWERS.greeting),
			),
	},
	{
		title: 'Server not running',
		wanted: 'an error that names the address',
		run: async (environment, contestant) => {
			const url = `http://127.0.0.1:${await freePort()}`;
			const outcome = await ask(environment.n8n, contestant, url, { text: 'greet me' });
			return {
				right: errorText(outcome).includes(new URL(url).host),
				says: [...result(outcome), duration(outcome.ms)],
			};
		},
	},
	{
		title: 'Prompt larger than the context',
		wanted: 'an error with both numbers',
		without: { ollama: 'Ollama shortens the prompt' },
		run: async (environment, contestant) =>
			await askThroughTap(
				environment,
				contestant,
				{ upstream: environment.small },
				{ text: 'word '.repeat(400) },
				(outcome, tap) => {
					const numbers = /"n_prompt_tokens":(\d+),"n_ctx":(\d+)/.exec(
						tap.requests[0]?.records[0] ?? '',
					);
					const told =
						numbers?.slice(1).every((number) => errorText(outcome).includes(number)) ?? false;
					return { right: told, says: [...result(outcome), cost(outcome, tap)] };
				},
			),
	},
	{
		title: 'Picture with a question (AI Agent, *Automatically Passthrough Binary Images*)',
		wanted: 'both in one message: templates of some models refuse two in a row',
		run: async (environment, contestant) =>
			await askThroughTap(
				environment,
				contestant,
				{ faults: { answer: says('A pixel.') } },
				{ text: 'What is it?', streamed: false, picture: true },
				(outcome, tap) => {
					const { messages, input } = tap.requests[0]?.body ?? {};
					const ofUser = /** @type {import('../../scripts/lib/types').JsonObject[]} */ (
						messages ?? input ?? []
					)
						.filter(({ role }) => role === 'user')
						.map((one) => JSON.stringify(one));
					const isPicture = (/** @type {string} */ one) => one.includes('iVBORw0KGgo');
					return {
						right: ofUser.length === 1 && ofUser.every(isPicture) && !outcome.error,
						says: [
							...(outcome.error ? result(outcome) : []),
							`${counted(ofUser.length, 'user message')}: ${ofUser.map((one) => [one.includes('What is it?') ? 'question' : '', isPicture(one) ? 'picture' : ''].filter(Boolean).join(' and ')).join('; ')}`,
						],
					};
				},
			),
	},
	keepsTo('JSON schema', SCHEMA),
	keepsTo('JSON schema with a part that llama.cpp refuses (a look-ahead in `pattern`)', {
		...SCHEMA,
		properties: {
			...SCHEMA.properties,
			code: { type: 'string', pattern: '^(?=x)[a-z]{2}$', maxLength: 8 },
		},
	}),
	{
		title: 'Tokens in the execution data',
		wanted: "the server's own counts",
		run: async (environment, contestant) =>
			await askThroughTap(environment, contestant, {}, { text: 'tell a story' }, (outcome, tap) => {
				const own = tap.requests.at(-1)?.counted;
				const usage = outcome.calls[0]?.tokenUsage;
				const exact =
					own !== undefined &&
					usage?.promptTokens === own.prompt &&
					usage?.completionTokens === own.completion;
				const told = `${usage?.promptTokens ?? 'no'} for the prompt, ${usage?.completionTokens ?? 'no'} for the answer`;
				return {
					right: exact,
					says: [
						exact ? told : `${told}; the server counted ${own?.prompt} and ${own?.completion}`,
					],
				};
			}),
	},
	{
		title: 'Speed in the execution data',
		wanted: 'tokens per second, and tokens from the cache',
		run: async (environment, contestant) =>
			await askThroughTap(environment, contestant, {}, { text: 'tell a story' }, ({ log }) => {
				const speed = /tokensPerSecond|predicted_per_second/.test(log);
				const cached = /cached|cache_n|cache_read/i.test(log);
				return {
					right: speed && cached,
					says: [
						speed ? 'tokens per second' : 'no tokens per second',
						cached ? 'tokens from the cache' : 'no tokens from the cache',
					],
				};
			}),
	},
	stops('Stop while the answer is typed', false, true),
	stops('Stop in a workflow that does not stream, while the server generates', false, false),
	stops('Stop before the first token', true, true),
	silentFor('Server silent for 310 s, chat that streams', 310_000, true),
	silentFor('Server silent for 310 s, workflow that does not stream', 310_000, false),
	silentFor('Server silent for 620 s, chat that streams', 620_000, true),
	silentFor('Server silent for 620 s, workflow that does not stream', 620_000, false),
	silentFor(
		'Server silent for 620 s, *Timeout* or *First Token Limit* set to 15 minutes',
		620_000,
		true,
		900,
	),
];
