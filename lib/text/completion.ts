import type { Timings, Usage } from '../chat/types';
import { finiteNumber, isRecord, nonEmptyText, optional, recordOf, recordsIn, text as textOf } from '../values';

/** A completion as far as it came. */
export interface Completion {
	text: string;
	/** Why it ended: `eos` or `stop` (the model had finished), `limit`, `word`, or what else the server said. */
	stopType?: string;
	/** The stop sequence that ended it. */
	stoppingWord?: string;
	/** The server had to leave out the beginning of the prompt. */
	truncated?: boolean;
	/** Numbers of the tokens, where they were asked for and the server tells them. */
	tokens?: number[];
	/** Of each token, in the form of OpenAI's `logprobs.content`. */
	logprobs?: unknown[];
	usage?: Usage;
	timings?: Timings;
	model?: string;
}

/** Names of an end, as every server has it. */
const STOP_TYPES: Readonly<Record<string, string>> = { length: 'limit' };

/**
 * Puts a completion together from the events of llama-server's own API, of OpenAI's, or of Ollama's, or from an answer
 * in one piece. Which of them it is, each event tells by its fields.
 */
export class CompletionAssembly {
	private readonly completion: Completion = { text: '' };
	private readonly tokens: number[] = [];
	private readonly logprobs: unknown[] = [];
	private hasEnded = false;
	private reported: string | undefined;

	/** Whether the server said that this is all. */
	get ended(): boolean {
		return this.hasEnded;
	}

	/** What the server says went wrong. */
	get error(): string | undefined {
		return this.reported;
	}

	/** What arrived so far. */
	get result(): Completion {
		return {
			...this.completion,
			...(this.tokens.length === 0 ? {} : { tokens: [...this.tokens] }),
			...(this.logprobs.length === 0 ? {} : { logprobs: [...this.logprobs] }),
		};
	}

	/** @returns the text that an event adds; undefined where the data is no event of a completion */
	push(data: unknown): string | undefined {
		if (data === '[DONE]') {
			this.hasEnded = true;
			return '';
		}
		if (!isRecord(data)) return undefined;
		const { error } = data;
		if (error !== undefined && error !== null) {
			this.reported ??= nonEmptyText(isRecord(error) ? error.message : error) ?? JSON.stringify(error);
			return '';
		}
		const model = nonEmptyText(data.model);
		if (model !== undefined) this.completion.model = model;
		const timings = isRecord(data.timings) ? numbersIn(data.timings) : undefined;
		if (timings !== undefined) this.completion.timings = timings;
		const added = Array.isArray(data.choices)
			? this.openAi(data, recordsIn(data.choices)[0])
			: 'response' in data
				? this.ollama(data)
				: this.native(data);
		if (added !== undefined) this.completion.text += added;
		return added;
	}

	/** docs/protocols/llama-server.md 3.7 */
	private native(data: Record<string, unknown>): string | undefined {
		const content = textOf(data.content);
		if (content === undefined) return undefined;
		this.addTokens(data.tokens);
		this.logprobs.push(...recordsIn(data.completion_probabilities));
		if (data.stop === true) {
			const word = nonEmptyText(data.stopping_word);
			this.end(data.stop_type);
			if (word !== undefined) this.completion.stoppingWord = word;
			if (data.truncated === true) this.completion.truncated = true;
			this.count(data.tokens_evaluated, data.tokens_predicted, recordOf(data.timings).cache_n);
		}
		return content;
	}

	private openAi(data: Record<string, unknown>, choice: Record<string, unknown> = {}): string {
		const { usage } = data;
		if (isRecord(usage))
			this.count(usage.prompt_tokens, usage.completion_tokens, recordOf(usage.prompt_tokens_details).cached_tokens);
		this.logprobs.push(...recordsIn(recordOf(choice.logprobs).content));
		if (typeof choice.finish_reason === 'string') this.end(choice.finish_reason);
		return textOf(choice.text) ?? textOf(recordOf(choice.message ?? choice.delta).content) ?? '';
	}

	/** docs/protocols/ollama.md 4.5 */
	private ollama(data: Record<string, unknown>): string {
		this.logprobs.push(...recordsIn(data.logprobs));
		if (data.done === true) {
			this.end(data.done_reason);
			this.count(data.prompt_eval_count, data.eval_count);
			const ms = (nanoseconds: unknown) => (finiteNumber(nanoseconds) ?? 0) / 1e6;
			this.completion.timings = {
				load_ms: ms(data.load_duration),
				prompt_ms: ms(data.prompt_eval_duration),
				predicted_ms: ms(data.eval_duration),
			};
		}
		return textOf(data.response) ?? '';
	}

	private end(reason: unknown): void {
		this.hasEnded = true;
		const said = nonEmptyText(reason);
		if (said !== undefined) this.completion.stopType = STOP_TYPES[said] ?? said;
	}

	private addTokens(tokens: unknown): void {
		if (Array.isArray(tokens)) this.tokens.push(...tokens.filter((one): one is number => typeof one === 'number'));
	}

	private count(prompt: unknown, completion: unknown, cached?: unknown): void {
		const [promptTokens, completionTokens] = [finiteNumber(prompt), finiteNumber(completion)];
		if (promptTokens === undefined && completionTokens === undefined) return;
		const cachedTokens = finiteNumber(cached);
		this.completion.usage = {
			promptTokens: promptTokens ?? 0,
			completionTokens: completionTokens ?? 0,
			totalTokens: (promptTokens ?? 0) + (completionTokens ?? 0),
			...optional({ cachedTokens }),
		};
	}
}

function numbersIn(record: Record<string, unknown>): Timings {
	return Object.fromEntries(
		Object.entries(record).flatMap(([name, value]) => {
			const number = finiteNumber(value);
			return number === undefined ? [] : [[name, number]];
		}),
	);
}
