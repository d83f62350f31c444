/** Which of many tools a model is offered: those that fit the conversation best. Pure. */
import { recordOf, text } from '../values';
import { FORMAT_TOOL } from './format-call';
import type { SourceMessage, ToolDefinition } from './types';

interface OfferedTools {
	/** In the order in which they are connected. */
	offered: ToolDefinition[];
	leftOut: ToolDefinition[];
}

/** Names of called tools. */
interface CalledTools {
	/** Before the last question. */
	earlier: ReadonlySet<string>;
	/** Since the last question. */
	inTurn: ReadonlySet<string>;
}

const MAX_QUESTIONS = 4;
/** Characters of each end of a question: a document may stand before or after what is asked of it. */
const QUESTION_ENDS = 2_000;

/**
 * Chooses the tools to offer. The choice depends only on the conversation up to its last question, so the prompt cache
 * of the server stays valid during a turn; a tool that was left out and called in this turn joins the others.
 *
 * @param fit how well each tool fits the conversation, in the order of the tools
 * @param most how many are offered; called tools are offered even beyond it
 * @param forced name of the tool that must be called
 */
export function toolsToOffer(
	tools: readonly ToolDefinition[],
	fit: readonly number[],
	most: number,
	{ earlier, inTurn }: CalledTools,
	forced?: string,
): OfferedTools {
	const isKept = ({ name }: ToolDefinition) =>
		// Where an output parser is connected, only a call of this one ends the run.
		name === forced || name === FORMAT_TOOL || earlier.has(name);
	const kept = tools.filter(isKept);
	const others = tools
		.map((tool, at) => ({ tool, fit: fit[at] ?? 0 }))
		.filter(({ tool }) => !isKept(tool))
		.sort((one, other) => other.fit - one.fit)
		.map(({ tool }) => tool);
	const best = others.slice(0, Math.max(0, most - kept.length));
	const chosen = new Set([...kept, ...best]);
	const isOffered = (tool: ToolDefinition) => chosen.has(tool) || inTurn.has(tool.name);
	return {
		offered: tools.filter(isOffered),
		leftOut: tools.filter((tool) => !isOffered(tool)),
	};
}

/** The tools that the model has called. */
export function calledTools(messages: readonly SourceMessage[]): CalledTools {
	const question = messages.findLastIndex(isQuestion);
	return {
		earlier: new Set(messages.slice(0, question + 1).flatMap(namesOfCalls)),
		inTurn: new Set(messages.slice(question + 1).flatMap(namesOfCalls)),
	};
}

function namesOfCalls({ toolCalls = [], invalidToolCalls = [] }: SourceMessage): string[] {
	return [...toolCalls, ...invalidToolCalls].flatMap(({ name }) => name ?? []);
}

/** The last questions of the user, the newest first. */
export function questionsOf(messages: readonly SourceMessage[]): string[] {
	return messages
		.filter(isQuestion)
		.map(({ content }) => [content].flat().map(textOfPart).join('\n'))
		.filter((question) => question !== '')
		.slice(-MAX_QUESTIONS)
		.reverse()
		.map(endsOf);
}

function isQuestion({ type, role }: SourceMessage): boolean {
	return type === 'human' || (type === 'generic' && role === 'user');
}

function textOfPart(part: unknown): string {
	return text(part) ?? text(recordOf(part).text) ?? '';
}

function endsOf(question: string): string {
	if (question.length <= 2 * QUESTION_ENDS) return question;
	return `${question.slice(0, QUESTION_ENDS)}\n${question.slice(-QUESTION_ENDS)}`;
}

/**
 * How well each tool fits the questions, by the words they share; a word that few tools have counts more (TF-IDF). A
 * question counts half of the next newer one.
 */
export function fitByWords(
	questions: readonly string[],
	tools: readonly ToolDefinition[],
): number[] {
	const wordsOfTools = tools.map(({ name, description = '' }) => wordsOf(`${name} ${description}`));
	const weights = rarityOf(wordsOfTools);
	const asked = questions.map(wordsOf);
	return wordsOfTools.map((words) => {
		const length = lengthOf([...words], weights) || 1;
		const fits = asked.map((question, age) => {
			const shared = [...words].filter((word) => question.has(word));
			return lengthOf(shared, weights) / length / 2 ** age;
		});
		return fits.reduce((sum, fit) => sum + fit, 0);
	});
}

function rarityOf(documents: ReadonlyArray<ReadonlySet<string>>): Map<string, number> {
	const counts = new Map<string, number>();
	for (const word of documents.flatMap((words) => [...words]))
		counts.set(word, (counts.get(word) ?? 0) + 1);
	return new Map(
		[...counts].map(([word, count]) => [word, Math.log(1 + documents.length / count)]),
	);
}

function lengthOf(words: readonly string[], weights: ReadonlyMap<string, number>): number {
	const squares = words.map((word) => (weights.get(word) ?? 0) ** 2);
	return Math.sqrt(squares.reduce((sum, square) => sum + square, 0));
}

const segmenter = new Intl.Segmenter('und', { granularity: 'word' });
/** The beginning of a word stands for all its forms: order, orders, ordered. */
const STEM = 5;

function wordsOf(source: string): Set<string> {
	// `getWeather_now` as "get Weather now".
	const plain = source.replaceAll(/[_.-]+/g, ' ').replaceAll(/(\p{Ll})(\p{Lu})/gu, '$1 $2');
	const words = [...segmenter.segment(plain)]
		.filter(({ isWordLike }) => isWordLike)
		.map(({ segment }) => [...segment.normalize('NFKC').toLowerCase()].slice(0, STEM).join(''));
	// Latin words of one or two letters say nothing.
	return new Set(words.filter((word) => !/^[a-z]{1,2}$/.test(word)));
}
