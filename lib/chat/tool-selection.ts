/** Selects the tools that match the user's questions best, by shared words. */
import { asRecord, asString } from '../values';
import { FORMAT_TOOL_NAME } from './format-tool';
import type { ChatGenerator, ChatRequest, InputMessage, ToolDefinition } from './types';

/**
 * Offers the model only the tools that match best. Calls of omitted tools are valid, too.
 *
 * @param max maximum number of offered tools
 */
export function withToolLimit(generate: ChatGenerator, max: number): ChatGenerator {
	return async (chatRequest, onDelta) => {
		const { tools = [] } = chatRequest;
		if (tools.length <= max) return await generate(chatRequest, onDelta);
		const offered = selectTools(chatRequest, max);
		const omittedTools = tools.filter((tool) => !offered.includes(tool));
		const result = await generate(
			{ ...chatRequest, tools: offered, unofferedTools: omittedTools },
			onDelta,
		);
		const log = {
			toolsOffered: `${offered.length} of ${tools.length}, selected by keyword match`,
			toolsOmitted: omittedTools.map(({ name }) => name),
		};
		return { ...result, logFields: { ...result.logFields, ...log } };
	};
}

/**
 * The tools to offer, in the order in which they are connected: the best ones, and those that were called or must be
 * called. The best depend only on the questions, so the prompt cache of the server stays valid during a turn.
 */
export function selectTools(
	{ tools = [], messages, toolChoice }: ChatRequest,
	max: number,
): ToolDefinition[] {
	const fit = scoreByWords(getRecentQuestions(messages), tools);
	const byFit = [...tools.keys()].sort((one, other) => fit[other]! - fit[one]!);
	const best = new Set(byFit.slice(0, max));
	// Where an output parser is connected, only a call of the first one ends the run.
	const kept = new Set([FORMAT_TOOL_NAME, ...messages.flatMap(calledTools)]);
	if (typeof toolChoice === 'object') kept.add(toolChoice.name);
	return tools.filter(({ name }, index) => best.has(index) || kept.has(name));
}

function calledTools({ toolCalls = [], invalidToolCalls = [] }: InputMessage): string[] {
	return [...toolCalls, ...invalidToolCalls].flatMap(({ name }) => name ?? []);
}

const MAX_QUESTIONS = 4;
/** Characters of each end of a question: a document may stand before or after what is asked of it. */
const QUESTION_ENDS = 2_000;

/** The last questions of the user, the newest first. */
function getRecentQuestions(messages: readonly InputMessage[]): string[] {
	return messages
		.filter(({ type, role }) => type === 'human' || role === 'user')
		.slice(-MAX_QUESTIONS)
		.reverse()
		.map(({ content }) => [content].flat().map(textOfPart).join('\n'))
		.map((question) => `${question.slice(0, QUESTION_ENDS)}\n${question.slice(-QUESTION_ENDS)}`);
}

function textOfPart(part: unknown): string {
	return asString(part) ?? asString(asRecord(part).text) ?? '';
}

/**
 * How well each tool fits: a shared word counts more the fewer tools have it, and half with each newer question that does
 * not have it.
 */
function scoreByWords(questions: readonly string[], tools: readonly ToolDefinition[]): number[] {
	const asked = questions.map(toWordStems);
	const words = tools.map(({ name, description = '' }) => toWordStems(`${name} ${description}`));
	const weightOf = (word: string) => {
		const age = asked.findIndex((question) => question.has(word));
		return age < 0 ? 0 : 1 / 2 ** age / words.filter((ofTool) => ofTool.has(word)).length;
	};
	return words.map((ofTool) => [...ofTool].reduce((sum, word) => sum + weightOf(word), 0));
}

const segmenter = new Intl.Segmenter('und', { granularity: 'word' });
/** The beginning of a word stands for all its forms: order, orders, ordered. */
const STEM = 5;

function toWordStems(source: string): Set<string> {
	// `getWeather_now` as "get Weather now".
	const plain = source.replaceAll(/[_.-]+/g, ' ').replaceAll(/(\p{Ll})(\p{Lu})/gu, '$1 $2');
	const words = [...segmenter.segment(plain)].filter(({ isWordLike }) => isWordLike);
	const stems = words.map(({ segment }) => segment.toLowerCase().slice(0, STEM));
	// Latin words of one or two letters say nothing.
	return new Set(stems.filter((stem) => !/^[a-z]{1,2}$/.test(stem)));
}
