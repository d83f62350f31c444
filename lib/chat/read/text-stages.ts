/**
 * The way of a piece of text from an event of a response into the chat: all stages that may hold back a part of it, in their
 * order. Before the first one, `lib/http/stream-parser.ts` waits for the end of an event. Behind the last one is n8n.
 *
 * | Stage | Holds back | Lives as long as |
 * |---|---|---|
 * | `splitThinking` | what may be a tag, and thinking whose opening tag is in the prompt | a response |
 * | `holdCalls` | what may become a call, a mark at the end, or JSON that ends after its first bracket | a response |
 * | `maskSecrets` | the last word, which may be the beginning of a key | a response |
 * | `omitRepetition` | a text that begins like that of an earlier attempt | a turn |
 * | `frameThinking` | nothing: the blanks before thinking and the break between paragraphs wait for a text | a turn |
 * | `JOIN_DELTAS` | what arrives within 40 ms after the last delta | a stream of n8n |
 *
 * A completion has what the second stage releases and holds back: the end of the response decides whether that is a call.
 */
import { createMaskStage, NO_MASK } from '../../errors/mask-stage';
import type { Stage, Step } from '../../stage';
import { getDisplayableLength, MAX_UNDECIDED_LENGTH } from '../../text/calls/displayable-length';
import type { SplitState, TextAndReasoning } from '../../text/reasoning';
import {
	expectSplit,
	ignoreTags,
	isPlainText,
	SPLIT_REASONING,
	startInReasoning,
} from '../../text/reasoning';
import type { FieldState } from '../../text/reasoning-field';
import { READ_REASONING_FIELD } from '../../text/reasoning-field';
import { BEGUN_JSON } from './judge-response';

/** What a delta contains, as the server sends it. */
export interface ReceivedDelta {
	/** In the field for the text. */
	content: string;
	/** In a field for the thinking. */
	reasoning: string;
	/** Whether it contains calls: the thinking has ended. */
	hasCalls: boolean;
}

/** What is known of a response before its text. */
export interface TextOptions {
	/** For requests without a chat template: the text contains no thinking. Default: false. */
	isRaw?: boolean;
	/** Whether the prompt may contain the opening tag of the thinking. Default: false. */
	mayStartInReasoning?: boolean;
	/** Whether the request mentions the tags of thinking. Then a tag after separate thinking is text. Default: false. */
	mentionsTags?: boolean;
	/** Start of the response in the request, which some servers repeat. Default: empty. */
	prefill?: string;
	/**
	 * Names by which a text may call tools, also unoffered ones and without the prefix of an MCP client; empty if calls in
	 * text are ignored. Default: none.
	 */
	callableNames?: readonly string[];
}

export const NO_OUTPUT: TextAndReasoning = { text: '', reasoning: '' };

/** What `splitThinking` knows. */
export interface ThinkingState {
	/** Of the text that was not in a field for thinking. */
	readonly split: SplitState;
	/** Of the thinking that was. */
	readonly field: FieldState;
	/** Whether thinking or text has arrived: a prefill is repeated before both. */
	readonly hasBegun: boolean;
	/** Whether a character of text has arrived. Line ends before it are no text. */
	readonly hasText: boolean;
}

/**
 * 1: thinking and text are separated, wherever the server puts them. It is the first stage, because the marks of thinking stand
 * in the text as the model wrote it, and because no other stage looks for anything that begins in one and ends in the other.
 */
export function splitThinking({
	isRaw = false,
	mayStartInReasoning = false,
	mentionsTags = false,
	prefill = '',
}: TextOptions): Stage<ReceivedDelta, TextAndReasoning, ThinkingState> {
	const split = startInReasoning(mayStartInReasoning);
	const withoutLineEnds = (text: string) => (isRaw ? text : text.replace(/^\n+/, ''));
	return {
		start: {
			split: isRaw ? ignoreTags(split) : split,
			field: READ_REASONING_FIELD.start,
			hasBegun: false,
			hasText: false,
		},

		step(state, { content, reasoning, hasCalls }) {
			const isPlain = state.hasText && reasoning === '' && state.field.pending === '';
			if (isPlain && isPlainText(state.split)) return [{ text: content, reasoning: '' }, state];
			const isLast = content !== '' || hasCalls;
			const [fieldReasoning, next] = readField(state, { reasoning, isLast, mentionsTags });
			if (content === '') return [{ text: '', reasoning: fieldReasoning }, next];
			const isPrefill = !next.hasBegun && prefill !== '' && content.startsWith(prefill);
			const delta = isPrefill ? content.slice(prefill.length) : content;
			const [part, splitState] = SPLIT_REASONING.step(next.split, delta);
			const text = next.hasText ? part.text : withoutLineEnds(part.text);
			const hasText = next.hasText || text !== '';
			const isSame = next.hasBegun && hasText === next.hasText && splitState === next.split;
			return [
				{ text, reasoning: fieldReasoning + part.reasoning },
				isSame ? next : { split: splitState, field: next.field, hasBegun: true, hasText },
			];
		},

		end(state) {
			const { text, reasoning } = SPLIT_REASONING.end(state.split);
			return {
				text: state.hasText ? text : withoutLineEnds(text),
				reasoning: READ_REASONING_FIELD.end(state.field) + reasoning,
			};
		},
	};
}

/** Thinking in a field of its own; where text follows, all of it. */
function readField(
	state: ThinkingState,
	delta: { reasoning: string; isLast: boolean; mentionsTags: boolean },
): Step<string, ThinkingState> {
	const { reasoning, isLast, mentionsTags } = delta;
	const { field, split } = state;
	if (reasoning === '' && (!isLast || field.pending === '')) return ['', state];
	if (reasoning === '')
		return [READ_REASONING_FIELD.end(field), { ...state, field: { ...field, pending: '' } }];
	if (mentionsTags) return [reasoning, { ...state, split: ignoreTags(split), hasBegun: true }];
	const [released, next] = READ_REASONING_FIELD.step(field, reasoning);
	const rest = isLast ? READ_REASONING_FIELD.end(next) : '';
	return [
		released + rest,
		{
			...state,
			split: expectSplit(split),
			field: isLast ? { ...next, pending: '' } : next,
			hasBegun: state.hasBegun || released + rest !== '',
		},
	];
}

/** What `holdCalls` knows. */
export interface HeldState {
	/** Text that may become a call or a mark at the end. */
	readonly held: string;
	/** Whether no text was released so far. */
	readonly isFirst: boolean;
	/**
	 * Whether the held text is so long that no more of it is searched: it is a call, or a response that begins like one, and only
	 * its end shows which. Without this, each delta would read it again.
	 */
	readonly isCall: boolean;
}

/**
 * 2: what may be a call is not shown before the end decides it. After the split, because thinking is shown as it arrives, and a
 * call is searched for in the text alone. Before the mask, because a call is read as the model wrote it.
 */
export function holdCalls({
	isRaw = false,
	callableNames = [],
}: TextOptions): Stage<TextAndReasoning, TextAndReasoning, HeldState> {
	const hasTools = callableNames.length > 0;
	return {
		start: { held: '', isFirst: true, isCall: false },

		step(state, piece) {
			const { text, reasoning } = piece;
			if (text === '') return [piece, state];
			const { isFirst, isCall } = state;
			const held = state.held + text;
			const waits = isCall || (isFirst && !isRaw && BEGUN_JSON.test(held));
			if (waits)
				return [
					{ text: '', reasoning },
					{ ...state, held },
				];
			const length = getDisplayableLength(held, { isFirst, hasTools });
			if (length === held.length && !isFirst && state.held === '') return [piece, state];
			const rest = held.slice(length);
			return [
				{ text: held.slice(0, length), reasoning },
				{
					held: rest,
					isFirst: isFirst && length === 0,
					isCall: length === 0 && rest.length > MAX_UNDECIDED_LENGTH,
				},
			];
		},

		end: ({ held }) => ({ text: held, reasoning: '' }),
	};
}

/** What `maskSecrets` holds back of both. */
export type MaskState = TextAndReasoning;

/**
 * 3: a key that arrived in several events is masked; each event was masked before it was read. After the calls, because a
 * completion is masked as a whole, and before all stages that outlive a response, so that none of them keeps a key. The
 * thinking ends where text goes on.
 *
 * @param secrets - Default: none.
 */
export function maskSecrets(
	secrets?: readonly string[],
): Stage<TextAndReasoning, TextAndReasoning, MaskState> {
	const mask = createMaskStage(secrets);
	if (mask === NO_MASK) return PASS_ON;
	return {
		start: NO_OUTPUT,

		step(state, piece) {
			const [reasoning, heldReasoning] = mask.step(state.reasoning, piece.reasoning);
			if (piece.text === '')
				return [
					{ text: '', reasoning },
					{ text: state.text, reasoning: heldReasoning },
				];
			const [text, heldText] = mask.step(state.text, piece.text);
			return [
				{ text, reasoning: reasoning + mask.end(heldReasoning) },
				heldText === '' ? NO_OUTPUT : { text: heldText, reasoning: '' },
			];
		},

		end: ({ text, reasoning }) => ({ text: mask.end(text), reasoning: mask.end(reasoning) }),
	};
}

/** Without secrets. */
const PASS_ON: Stage<TextAndReasoning, TextAndReasoning, MaskState> = {
	start: NO_OUTPUT,
	step: (state, piece) => [piece, state],
	end: () => NO_OUTPUT,
};

/** What `omitRepetition` knows. */
export interface RepetitionState {
	/** The text of this attempt, as long as it may be a repetition. */
	readonly held: string;
	/** Texts of earlier attempts that begin with it. */
	readonly candidates: readonly string[];
}

/**
 * 4: an attempt that says what an earlier one said is not shown again. After the mask, so that it compares what was shown. It
 * has one state for each attempt.
 *
 * @param shownTexts - Texts of earlier attempts.
 */
export function omitRepetition(
	shownTexts: readonly string[],
): Stage<TextAndReasoning, TextAndReasoning, RepetitionState> {
	return {
		start: { held: '', candidates: shownTexts },

		step(state, piece) {
			const { text, reasoning } = piece;
			if (text === '' || state.candidates.length === 0) return [piece, state];
			const { length } = state.held;
			const held = state.held + text;
			const candidates = state.candidates.filter((shown) => shown.startsWith(text, length));
			return candidates.length === 0
				? [
						{ text: held, reasoning },
						{ held: '', candidates },
					]
				: [
						{ text: '', reasoning },
						{ held, candidates },
					];
		},

		/** A text that only begins like an earlier one is shown. */
		end: ({ held, candidates }) => ({ text: candidates.includes(held) ? '' : held, reasoning: '' }),
	};
}

/** What `frameThinking` knows. */
export interface FrameState {
	/** Whether the last output was thinking, whose tag is open. */
	readonly isThinking: boolean;
	/** Whether the next output begins a paragraph, since an earlier attempt has shown some. */
	readonly beginsParagraph: boolean;
}

/**
 * 5: thinking and text become one text, with the thinking between `<think>` tags, which chats collapse. After the repetition,
 * which compares texts alone.
 *
 * @param showsThinking - Whether the thinking is shown at all.
 */
export function frameThinking(showsThinking: boolean): Stage<TextAndReasoning, string, FrameState> {
	return {
		start: { isThinking: false, beginsParagraph: false },

		step(state, { text, reasoning: received }) {
			const reasoning = showsThinking ? received : '';
			// Models that do not think send an empty block, which is not shown.
			const isThought = state.isThinking || reasoning.trim() !== '';
			const opening = isThought && !state.isThinking ? `<think>\n${reasoning.trimStart()}` : '';
			const thinking = isThought ? opening || reasoning : '';
			const output = thinking + (isThought && text !== '' ? THINKING_END : '') + text;
			if (output === '') return ['', state];
			const isThinking = isThought && text === '';
			if (!state.beginsParagraph && isThinking === state.isThinking) return [output, state];
			const shown = state.beginsParagraph ? `\n\n${output}` : output;
			return [shown, { isThinking, beginsParagraph: false }];
		},

		end: ({ isThinking }) => (isThinking ? THINKING_END : ''),
	};
}

const THINKING_END = '\n</think>\n\n';

/** 25 deltas per second look like a steady stream. */
const DELTA_INTERVAL_MS = 40;

/** Deltas per second for all streams of one n8n process. With many streams, each gets fewer and larger ones. */
const MAX_DELTAS_PER_SECOND = 400;

/** A text, and whether n8n still rests from the last one. */
export interface PacedText {
	/** Empty if only the pause has ended. */
	text: string;
	isPaused: boolean;
}

/**
 * 6: text is released at once, and then, at an interval, all that arrived since: what n8n does with a delta (LangChain's
 * chunks, events, a line to the browser) costs more than all stages before. The last stage, because each of them releases
 * only what it must, and a delta of any length costs n8n the same.
 */
export const JOIN_DELTAS: Stage<PacedText, string, string> = {
	start: '',
	step: (held, { text, isPaused }) => (isPaused ? ['', held + text] : [held + text, '']),
	end: (held) => held,
};

/**
 * Milliseconds of the pause after n8n has taken a delta, which may take time.
 *
 * @param streams - How many streams n8n reads at this time.
 */
export function getDeltaInterval(streams: number): number {
	return Math.max(DELTA_INTERVAL_MS, (streams / MAX_DELTAS_PER_SECOND) * 1000);
}

/** Text and thinking of both. */
export function joinOutput(first: TextAndReasoning, second: TextAndReasoning): TextAndReasoning {
	return { text: first.text + second.text, reasoning: first.reasoning + second.reasoning };
}

/** One stage after another one, as a stage. */
export function chain<Input, A, B>(
	first: Stage<Input, TextAndReasoning, A>,
	second: Stage<TextAndReasoning, TextAndReasoning, B>,
): Stage<Input, TextAndReasoning, readonly [A, B]> {
	return {
		start: [first.start, second.start],
		step(state, input) {
			// By index: for each delta of a response, a pattern would create an iterator.
			const between = first.step(state[0], input);
			const last = second.step(state[1], between[0]);
			const isSame = between[1] === state[0] && last[1] === state[1];
			return [last[0], isSame ? state : [between[1], last[1]]];
		},
		end([a, b]) {
			const [released, nextB] = second.step(b, first.end(a));
			return joinOutput(released, second.end(nextB));
		},
	};
}
