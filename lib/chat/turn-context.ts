import type { QueueStats } from '../http/types';
import type { ModelServer, ServerType } from '../servers/types/server-type';
import { createQuotationCheck } from '../text/quotations';
import type { RawToolCall } from '../text/text-tool-calls';
import { getText } from './content';
import type { ToolNames } from './tool-calls';
import type { ChatMessage, ChatRequest, ChatSettings, ToolDefinition, Usage } from './types';
import type { TextAndReasoning } from '../text/reasoning';

/** What all attempts of a turn share. */
export interface TurnContext {
	server: ModelServer;
	serverType: ServerType;
	settings: ChatSettings;
	chatRequest: ChatRequest;
	queueStats: QueueStats;
	toolNames: ToolNames;
	/** Whether a call in the response text is a quotation from the conversation, without the corrections of this turn. */
	isQuotation: (call: RawToolCall) => boolean;
	display: DisplayedText;
	/** By `performance.now()`. */
	startedAt: number;
	/** The sum of all attempts so far. */
	usage?: Usage;
	/** Whether the response was held back until its thinking ended, because the last one began inside the thinking. */
	isDelayed?: boolean;
	/** The warning about a response whose thinking was shown. */
	reasoningWarning?: string;
}

/**
 * Returns a function that checks whether a call in the text of a response is quoted from the request. In tool
 * descriptions and in earlier output of the model, only complete calls count. Tool calls of the model never count.
 */
export function createRequestQuotationCheck(
	messages: readonly ChatMessage[],
	tools: readonly ToolDefinition[] = [],
): TurnContext['isQuotation'] {
	const getTexts = (source: readonly ChatMessage[]) =>
		source.map(({ content }) => getText(content, '\n'));
	const inputMessages = messages.filter(({ role }) => role !== 'assistant');
	const modelMessages = messages.filter(
		(message) => message.role === 'assistant' && !message.toolCalls?.length,
	);
	const toolTexts = tools.flatMap(({ description, parameters }) =>
		collectStrings([description, parameters]),
	);
	return createQuotationCheck(getTexts(inputMessages), [...getTexts(modelMessages), ...toolTexts]);
}

function collectStrings(value: unknown): string[] {
	if (typeof value === 'string') return [value];
	return typeof value === 'object' && value !== null
		? Object.values(value).flatMap(collectStrings)
		: [];
}

/**
 * The displayed text of a turn: the text of all attempts, optionally preceded by the thinking between `<think>` tags,
 * which chats collapse.
 */
export class DisplayedText {
	/** Everything shown so far. */
	text = '';
	private isThinking = false;
	private isRetry = false;
	/** Text of the current attempt, without thinking. */
	private attemptText = '';
	private readonly shownTexts: string[] = [];
	/** Texts of earlier attempts that begin with the text of this one, which is not shown as long as there are any. */
	private repeatedTexts: string[] = [];

	constructor(
		private readonly showsThinking: boolean,
		private readonly onDelta: (delta: string) => void,
	) {}

	push({ text, reasoning }: TextAndReasoning): void {
		if (this.showsThinking && reasoning !== '') this.think(reasoning);
		if (text === '') return;
		this.endThinking();
		const mayRepeat = this.repeatedTexts.length > 0;
		const position = this.attemptText.length;
		this.attemptText += text;
		this.repeatedTexts = this.repeatedTexts.filter((shown) => shown.startsWith(text, position));
		if (this.repeatedTexts.length === 0) this.add(mayRepeat ? this.attemptText : text);
	}

	/** Starts a new paragraph for the next attempt. */
	startRetry(): void {
		this.endAttempt();
		this.isRetry = this.text !== '';
		if (this.attemptText !== '') this.shownTexts.push(this.attemptText);
		this.repeatedTexts = [...this.shownTexts];
		this.attemptText = '';
	}

	/** Shows text that only begins like an earlier attempt, and ends thinking without text after it. */
	endAttempt(): void {
		this.endThinking();
		const isRepetition = this.repeatedTexts.includes(this.attemptText);
		if (this.repeatedTexts.length > 0 && this.attemptText !== '' && !isRepetition)
			this.add(this.attemptText);
	}

	private endThinking(): void {
		if (!this.isThinking) return;
		this.isThinking = false;
		this.add('\n</think>\n\n');
	}

	private think(reasoning: string): void {
		if (this.isThinking) this.add(reasoning);
		// Models that do not think send an empty block, which is not shown.
		else if (reasoning.trim() !== '') {
			this.isThinking = true;
			this.add(`<think>\n${reasoning.trimStart()}`);
		}
	}

	private add(text: string): void {
		const delta = this.isRetry ? `\n\n${text}` : text;
		this.isRetry = false;
		this.text += delta;
		this.onDelta(delta);
	}
}
