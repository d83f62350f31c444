/** How the events of a server become the pieces of an answer. */
import type { ServerSentEvent } from '../../http/sse';
import type { Family } from '../text-formats/families';
import type { ToolDefinition, WireChunk } from '../types';
import type { ChatProtocol } from '../wire/protocol';
import type { Chunk, StreamEnd, Transform } from './chunk';
import { arrivals } from './transforms/arrivals';
import { withoutFirstBlankLines } from './transforms/blank-lines';
import { callsInPieces } from './transforms/calls-in-pieces';
import { callsInText } from './transforms/calls-in-text';
import { callsInThinking } from './transforms/calls-in-thinking';
import { contentParts } from './transforms/content-parts';
import { cutCalls } from './transforms/cut-calls';
import { endMarkers } from './transforms/end-markers';
import { envelopes } from './transforms/envelopes';
import { errorEvents } from './transforms/error-events';
import { finishNames } from './transforms/finish-names';
import { grammarCalls } from './transforms/grammar-calls';
import { heartbeats } from './transforms/heartbeats';
import { jsonInThinking } from './transforms/json-in-thinking';
import { loadingMessages } from './transforms/loading-messages';
import { missingReasons } from './transforms/missing-reasons';
import { observed } from './transforms/observed';
import { otherChoices } from './transforms/other-choices';
import { withoutPrefill } from './transforms/prefill';
import { refusals } from './transforms/refusals';
import { repeatedEnds } from './transforms/repeated-ends';
import { repeatedMessages } from './transforms/repeated-messages';
import { requestedChoice } from './transforms/requested-choice';
import { slices } from './transforms/slices';
import { tagsInThinking } from './transforms/tags-in-thinking';
import { thinkingFields } from './transforms/thinking-fields';
import { ThinkingInText } from './transforms/thinking-in-text';
import { wholeAnswers } from './transforms/whole-answers';
import { wholeCharacters } from './transforms/whole-characters';
import { wholeMessages } from './transforms/whole-messages';
import { wholeTexts } from './transforms/whole-texts';
import { withoutOrigin } from './transforms/without-origin';

export interface ChainOptions {
	/** Hold text back until a closing thinking tag decides, see `ThinkSplitter`. */
	openingThinkTagMayBeMissing?: boolean | 'always';
	/** Text of a trailing assistant message: servers repeat it at the beginning of the answer. */
	prefill?: string;
	/** All offered tools: a call of any other is an error. */
	tools?: readonly ToolDefinition[];
	/** Tools whose calls are read from the text, see `TextCalls`; without them the text is unchanged. */
	toolsInText?: readonly ToolDefinition[];
	/** The format in which the model writes its thinking and its calls. */
	family?: Family;
	/** The messages of the request: a call that also occurs there is a quotation. */
	input?: readonly string[];
	/** Whether the answer has to be JSON. */
	wantsJson?: boolean;
	/** Called with each chunk that a server sent, before anything is held back. */
	onChunk?: (chunk: WireChunk) => void;
}

type Link = (options: ChainOptions) => Transform | undefined;

/** What one event means by itself: other shapes and names of the documented fields. */
const EVENT_LINKS: readonly Link[] = [
	// Events that are no JSON, first: the next ones read JSON.
	endMarkers,
	heartbeats,
	// Then the way to the choice, and to its delta, where the others look.
	envelopes,
	errorEvents,
	requestedChoice,
	wholeMessages,
	// The fields of a delta.
	contentParts,
	refusals,
	thinkingFields,
	finishNames,
	wholeAnswers,
	// These are no part of the answer, and told by what else their event holds.
	loadingMessages,
	withoutOrigin,
];

/** What the events of an answer mean together. */
const ANSWER_LINKS: readonly Link[] = [
	({ onChunk }) => onChunk && observed(onChunk),
	// Whose text is it? Repetitions of the server go before anything is parsed, because they would be parsed twice.
	otherChoices,
	repeatedMessages,
	wholeTexts,
	({ prefill }) => (prefill === undefined ? undefined : withoutPrefill(prefill)),
	wholeCharacters,
	arrivals,
	slices,
	// Thinking before calls: a call in the thinking is none.
	tagsInThinking,
	({ openingThinkTagMayBeMissing = false, family }) =>
		new ThinkingInText(openingThinkTagMayBeMissing, family),
	({ prefill }) => (prefill === undefined ? withoutFirstBlankLines() : undefined),
	// Text that was held back until it was known whether it is thinking comes as one.
	slices,
	// The server's calls before those in the text, which do not count beside them.
	({ tools = [] }) => grammarCalls(tools.map(({ name }) => name)),
	({ tools = [] }) => callsInPieces(tools.map(({ name }) => name)),
	missingReasons,
	({ wantsJson }) => (wantsJson ? jsonInThinking() : undefined),
	({ toolsInText = [], family, input = [] }) =>
		toolsInText.length === 0 ? undefined : callsInText(toolsInText, family, input),
	({ toolsInText = [], family }) =>
		toolsInText.length === 0 ? undefined : callsInThinking(toolsInText, family),
	({ toolsInText = [] }) => cutCalls(toolsInText),
	// Last, because it compares with the text that is shown.
	repeatedEnds,
];

/** All transforms, in their order. A new habit of a server is one more line. */
export const CHAIN: readonly Link[] = [...EVENT_LINKS, ...ANSWER_LINKS];

/** Transforms, one behind the other. */
export class Chain {
	private readonly transforms: readonly Transform[];

	constructor(links: readonly Link[], options: ChainOptions = {}) {
		this.transforms = links
			.map((link) => link(options))
			.filter((transform) => transform !== undefined);
	}

	/** Each chunk goes through all transforms before the next one is read. @throws {UnreadableEvent} */
	push(chunk: Chunk): Generator<Chunk> {
		return this.through(0, chunk);
	}

	/** To be called once. What a transform held back goes through all behind it, before they end. */
	*end(end: StreamEnd): Generator<Chunk> {
		for (const [index, transform] of this.transforms.entries())
			for (const chunk of transform.end(end)) yield* this.through(index + 1, chunk);
	}

	private *through(start: number, first: Chunk): Generator<Chunk> {
		let chunk = first;
		for (let index = start; index < this.transforms.length; index++) {
			const passed = this.transforms[index]!.push(chunk);
			if (passed.length !== 1) {
				for (const one of passed) yield* this.through(index + 1, one);
				return;
			}
			chunk = passed[0]!;
		}
		yield chunk;
	}
}

/** The chain up to what one event means by itself. */
export function eventChain(): Chain {
	return new Chain(EVENT_LINKS);
}

/** What one event means, without those before it. @throws {UnreadableEvent} */
export function readEvent({ decode }: ChatProtocol, event: ServerSentEvent): WireChunk {
	const [chunk = {}] = eventChain().push(decode(event));
	return chunk;
}
