/**
 * Any conversation of an agent, as it arrives at the server: each question, text, call, result and image is there once, in
 * its order, each call with the thinking before it, whatever the API of the server, and also in the form that strict
 * templates need.
 */
import { AIMessage, HumanMessage, SystemMessage, ToolMessage } from './support/agent-turns';
import { CHAT, LLAMA_SERVER, ollama, text } from './support/responses';
import { chatModel } from './support/node-runner';
import { examples } from '../support/jest/properties';
import { json, useServers } from '../support/servers/scripted-server';
import type { Answer, Routes } from '../support/servers/scripted-server';
import { toN8nCallId } from '../support/texts/agent-histories';
import fc from 'fast-check';

/** What a tool returned; undefined if its result is missing. */
interface Called {
	images: number;
	hasResult: boolean;
}

/** One response of the model. */
interface Round {
	hasText: boolean;
	calls: Called[];
	/** `own`: IDs of this package, which name the response. `foreign`: IDs of another node. */
	ids: 'own' | 'foreign';
	/** One message with all calls, or one message for each, its result behind it. */
	shape: 'together' | 'apart';
	/** What the model thought before it: nothing, something new, or the same as in the round before. */
	thinking: 'none' | 'new' | 'same';
}

interface Turn {
	images: number;
	rounds: Round[];
}

interface Conversation {
	hasSystem: boolean;
	turns: Turn[];
}

const fewImages = fc.oneof(fc.constant(0), fc.nat(2));
const round = fc.record<Round>({
	hasText: fc.boolean(),
	calls: fc.array(fc.record({ images: fewImages, hasResult: fc.nat(4).map((at) => at > 0) }), {
		maxLength: 3,
	}),
	ids: fc.constantFrom('own', 'foreign'),
	shape: fc.constantFrom('together', 'apart'),
	thinking: fc.constantFrom('none', 'new', 'same', 'same'),
});
const conversation = fc.record<Conversation>({
	hasSystem: fc.boolean(),
	turns: fc.array(fc.record({ images: fewImages, rounds: fc.array(round, { maxLength: 3 }) }), {
		minLength: 1,
		maxLength: 3,
	}),
});

/** A conversation as n8n hands it over, and what of it must arrive. */
interface Written {
	messages: unknown[];
	/** The parts in their order: `Q` questions, `T` texts, `R` results, `I` images, `S` the system message. */
	parts: string[];
	/** The calls that have a result, in their order. */
	calls: string[];
	/** What the model thought before each of these calls. */
	thoughts: Thought[];
}

/** Empty for a call without thinking. */
interface Thought {
	call: string;
	thinking: string;
	/** Whether the call is one of the last turn. */
	isOfLastTurn: boolean;
}

const PNG = Buffer.from('89504e470d0a1a0a0000000d49484452', 'hex');
const toData = (part: string): string =>
	Buffer.concat([PNG, Buffer.from(`<${part}>`)]).toString('base64');

/** Writes a conversation whose parts have names. */
class Writer {
	private count = 0;
	/** Of the last round. */
	private thinking = '';
	private ids: Round['ids'] = 'own';

	readonly written: Written = { messages: [], parts: [], calls: [], thoughts: [] };

	private name(type: string): string {
		return `${type}${++this.count}`;
	}

	private add(type: string): string {
		const part = this.name(type);
		this.written.parts.push(part);
		return part;
	}

	write({ hasSystem, turns }: Conversation): Written {
		const { messages } = this.written;
		if (hasSystem) messages.push(new SystemMessage(`<${this.add('S')}>`));
		for (const [at, { images, rounds }] of turns.entries()) {
			const question = { type: 'text', text: `<${this.add('Q')}>` };
			const blocks = this.addImages(images).map((url) => ({
				type: 'image_url',
				image_url: { url },
			}));
			messages.push(new HumanMessage(images === 0 ? question.text : [question, ...blocks]));
			for (const one of rounds) this.writeRound(one, at === turns.length - 1);
		}
		return this.written;
	}

	private addImages(count: number): string[] {
		return Array.from({ length: count }, () => `data:image/png;base64,${toData(this.add('I'))}`);
	}

	/** Two rounds of another node with the same thinking are one response: only the thinking tells. */
	private think({ thinking, ids }: Round): string {
		const isSame = thinking === 'same' && !(ids === 'foreign' && this.ids === 'foreign');
		if (!isSame) this.thinking = thinking === 'none' ? '' : `<${this.name('H')}>`;
		this.ids = ids;
		return this.thinking;
	}

	private writeRound(given: Round, isOfLastTurn: boolean): void {
		const { hasText, calls, ids, shape } = given;
		const { messages } = this.written;
		const thinking = this.think(given);
		const content = hasText ? `<${this.add('T')}>` : '';
		const answer = ++this.count;
		const all = calls.map((call, at) => {
			const part = this.name('C');
			const id = ids === 'own' ? toN8nCallId(`call_${at}`, answer) : `call_${answer}_${at}`;
			return { ...call, part, id, name: 'look', args: { at: `<${part}>` } };
		});
		const isApart = shape === 'apart' && all.length > 1;
		// Without thinking, calls of other nodes stay apart: nothing says that they are of one response.
		const staysApart = isApart && ids === 'foreign' && thinking === '';
		const results = (staysApart ? all.map((call) => [call]) : [all]).flatMap((group) =>
			this.writeResults(group.filter(({ hasResult }) => hasResult)),
		);
		const toCall = ({ id, name, args }: (typeof all)[number]) => ({ id, name, args });
		const answers = (isApart ? all.map((call) => [call]) : [all]).map((group, at) => [
			new AIMessage({
				content: at === 0 ? content : '',
				tool_calls: group.map(toCall),
				additional_kwargs: thinking === '' ? {} : { reasoning_content: thinking },
			}),
			...results.flatMap(({ id, message }) =>
				group.some((call) => call.id === id) ? [message] : [],
			),
		]);
		messages.push(...answers.flat());
		for (const { part: call, hasResult } of all)
			if (hasResult) this.written.thoughts.push({ call, thinking, isOfLastTurn });
	}

	/** The results of a response, then their images. */
	private writeResults(calls: ReadonlyArray<Called & { part: string; id: string; name: string }>) {
		const texts = calls.map(({ part }) => {
			this.written.calls.push(part);
			return { type: 'text', text: `<${this.add('R')}>` };
		});
		return calls.map(({ id, name, images }, at) => {
			const blocks = this.addImages(images).map((url) => ({
				type: 'image_url',
				image_url: { url },
			}));
			const message = new ToolMessage({ tool_call_id: id, name, content: [texts[at], ...blocks] });
			return { id, message };
		});
	}
}

type Sent = Record<string, unknown>;

const asList = (value: unknown): Sent[] => (Array.isArray(value) ? (value as Sent[]) : []);
const findParts = (value: unknown): string[] =>
	Array.from(String(value).matchAll(/<([A-Z]\d+)>/g), ([, part]) => part!);
const findInImage = (url: unknown): string[] =>
	findParts(Buffer.from(String(url).replace(/^.*,/, ''), 'base64').toString('latin1'));

/** The parts of a message, in their order: text, then images beside it (Ollama). */
function readParts({ content, images }: Sent): string[] {
	const blocks = typeof content === 'string' ? [{ text: content }] : asList(content);
	return [
		...blocks.flatMap(({ text: block, image_url: image }) =>
			image === undefined ? findParts(block) : findInImage((image as Sent).url),
		),
		...(Array.isArray(images) ? images.flatMap(findInImage) : []),
	];
}

/** The thinking beside each call. */
const readThoughts = (messages: readonly Sent[]): Array<Pick<Thought, 'call' | 'thinking'>> =>
	messages.flatMap(({ tool_calls: calls, reasoning_content: thinking = '', thinking: native }) =>
		findParts(JSON.stringify(calls)).map((call) => ({
			call,
			thinking: String(native ?? thinking),
		})),
	);

/** Which thinking is sent, by the option *Include Thinking in History*. */
const isThinkingSent = {
	never: () => false,
	toolTurns: ({ isOfLastTurn }: Thought) => isOfLastTurn,
	always: () => true,
};

/** In an API whose images stand beside the text of a message, only texts and images are in order each. */
const byImage = (one: string, other: string): number =>
	Number(one.startsWith('I')) - Number(other.startsWith('I'));

/** Calls without a result, and results without a call before them. */
function findUnpaired(messages: readonly Sent[]): string[] {
	const problems: string[] = [];
	let open: unknown[] = [];
	for (const { role, tool_calls: calls, tool_call_id: id } of messages) {
		if (role === 'tool') {
			if (!open.includes(id)) problems.push(`a result without a call: ${String(id)}`);
			open = open.filter((one) => one !== id);
		} else {
			problems.push(...open.map((one) => `a call without a result: ${String(one)}`));
			open = asList(calls).map((call) => call.id);
		}
	}
	return [...problems, ...open.map((one) => `a call without a result: ${String(one)}`)];
}

/** What strict templates reject. */
function findStrictProblems(messages: readonly Sent[]): string[] {
	return messages.flatMap(({ role, tool_calls: calls }, at) => {
		const before = messages[at - 1]?.role;
		return [
			...(role === 'user' && (before === 'user' || before === 'tool') ? [`${before}, user`] : []),
			...(role === 'system' && at > 0 ? ['a later system message'] : []),
			...(asList(calls).length > 1 ? ['several calls'] : []),
		];
	});
}

const nativeText: Answer = (_request, response) => {
	response.writeHead(200, { 'content-type': 'application/x-ndjson' });
	const message = { role: 'assistant', content: 'Hello.' };
	response.end(`${JSON.stringify({ message, done: true, done_reason: 'stop' })}\n`);
};

const MUCH = 1_000_000;
const SERVERS: Record<
	'openai' | 'ollama',
	{ routes: Routes; path: string; answer: Answer; options: object }
> = {
	openai: {
		routes: {
			...LLAMA_SERVER,
			'GET /props': json({
				total_slots: 2,
				chat_template: '{% if tools %}{{ tools }}{% endif %}',
				default_generation_settings: { n_ctx: MUCH },
				modalities: { vision: true, audio: false },
			}),
		},
		path: CHAT,
		answer: text('Hello.'),
		options: {},
	},
	ollama: {
		routes: ollama(['completion', 'tools', 'vision'], MUCH),
		path: '/api/chat',
		answer: nativeText,
		options: { contextSize: MUCH },
	},
};

const start = useServers();
const REJECTED = json({ error: { message: 'Conversation roles must alternate' } }, 400);

test.each(['openai', 'ollama'] as const)(
	'any conversation arrives whole and in order, in the API of %s',
	async (api) => {
		const { routes, path, answer, options } = SERVERS[api];
		const hasImagesBeside = api === 'ollama';
		const cases = fc.record({
			given: conversation,
			isStrict: fc.boolean(),
			thinkingHistory: fc.constantFrom('never', 'toolTurns', 'always'),
		});
		await fc.assert(
			fc.asyncProperty(cases, async ({ given, isStrict, thinkingHistory }) => {
				const { messages, parts, calls, thoughts } = new Writer().write(given);
				const respond: Answer = (request, response) => {
					const problems = isStrict ? findStrictProblems(asList(request.body.messages)) : [];
					(problems.length > 0 ? REJECTED : answer)(request, response);
				};
				const server = await start({ ...routes, [`POST ${path}`]: respond });
				const { supplied } = await chatModel(server.url, {
					parameters: { options: { ...options, thinkingHistory } },
				});
				await supplied.invoke(messages);
				const sent = asList(server.sent(path).at(-1)!.messages);
				const arrived = sent.flatMap(readParts);
				expect(hasImagesBeside ? arrived.toSorted(byImage) : arrived).toEqual(
					hasImagesBeside ? parts.toSorted(byImage) : parts,
				);
				expect(sent.flatMap((one) => findParts(JSON.stringify(one.tool_calls)))).toEqual(calls);
				expect(findUnpaired(sent)).toEqual([]);
				expect(readThoughts(sent)).toEqual(
					thoughts.map((thought) => ({
						call: thought.call,
						thinking: isThinkingSent[thinkingHistory](thought) ? thought.thinking : '',
					})),
				);
			}),
			examples(100),
		);
	},
);
