/** Selects the tools that match the user's questions best, by shared words. */
import { asRecord, asString } from '../../values/records';
import { FORMAT_TOOL_NAME } from '../tools/format-tool';
import type { ChatGenerator, ChatRequest } from '../chat-request';
import type { ToolDefinition } from '../tool-definition';
import type { InputMessage } from '../input-message';

/**
 * Offers the model only the tools that match best. Calls of omitted tools are valid, too.
 *
 * @param max maximum number of offered tools
 */
export function withToolLimit(generate: ChatGenerator, max: number): ChatGenerator {
	return async (chatRequest, onDelta) => {
		const { tools = [] } = chatRequest;
		if (tools.length <= max) return await generate(chatRequest, onDelta);
		const offeredTools = selectTools(chatRequest, max);
		const offered = new Set(offeredTools);
		const unofferedTools = tools.filter((tool) => !offered.has(tool));
		const result = await generate({ ...chatRequest, tools: offeredTools, unofferedTools }, onDelta);
		const logFields = {
			...result.logFields,
			toolsOffered: `${offeredTools.length} of ${tools.length}, selected by keyword match`,
			toolsOmitted: unofferedTools.map(({ name }) => name),
		};
		return { ...result, logFields };
	};
}

/**
 * Selects the tools to offer, in the order of their connections: the best matches, and tools that were called or must be
 * called. Matches depend only on the questions, so the server's prompt cache stays valid during a turn.
 */
export function selectTools(
	{ tools = [], messages, toolChoice }: ChatRequest,
	max: number,
): ToolDefinition[] {
	const scores = scoreTools(getRecentQuestions(messages), tools);
	const byScore = [...tools.keys()].sort((a, b) => scores[b]! - scores[a]!);
	const best = new Set(byScore.slice(0, max));
	// With an output parser, only a call of the format tool ends the run.
	const calls = messages.flatMap(({ toolCalls = [], invalidToolCalls = [] }) => [
		...toolCalls,
		...invalidToolCalls,
	]);
	const requiredNames = new Set([FORMAT_TOOL_NAME, ...calls.map(({ name }) => name)]);
	if (typeof toolChoice === 'object') requiredNames.add(toolChoice.name);
	return tools.filter(({ name }, index) => best.has(index) || requiredNames.has(name));
}

const MAX_QUESTIONS = 4;
/** Characters read at each end of a question: its text may contain a document before or after the instruction. */
const QUESTION_ENDS = 2_000;

/** The last questions of the user, the newest first. */
function getRecentQuestions(messages: readonly InputMessage[]) {
	return messages
		.filter(({ type }) => type === 'human')
		.slice(-MAX_QUESTIONS)
		.reverse()
		.map(({ content }) =>
			[content]
				.flat()
				.map((block) => asString(block) ?? asString(asRecord(block).text))
				.join('\n'),
		)
		.map((question) => `${question.slice(0, QUESTION_ENDS)}\n${question.slice(-QUESTION_ENDS)}`);
}

/**
 * Scores each tool by shared words. A word counts more if fewer tools contain it. Its weight is halved for each question
 * asked after its last occurrence.
 */
function scoreTools(questions: readonly string[], tools: readonly ToolDefinition[]) {
	const questionStems = questions.map(toWordStems);
	const maxLength = getMaxDescriptionLength(tools.length);
	const toolStems = tools.map(({ name, description = '' }) =>
		toWordStems(`${name} ${description}`.slice(0, maxLength)),
	);
	const toolCounts = new Map<string, number>();
	for (const stem of toolStems.flatMap((stems) => [...stems]))
		toolCounts.set(stem, (toolCounts.get(stem) ?? 0) + 1);
	const getWeight = (stem: string) => {
		const age = questionStems.findIndex((stems) => stems.has(stem));
		return age < 0 ? 0 : 1 / 2 ** age / toolCounts.get(stem)!;
	};
	return toolStems.map((stems) => [...stems].reduce((sum, stem) => sum + getWeight(stem), 0));
}

/** Characters of all names and descriptions together: finding their words takes about 50 ms. */
const MAX_TOOL_TEXT = 200_000;
/** Characters of each: the first sentences say what a tool is for. */
const MIN_DESCRIPTION = 100;
const MAX_DESCRIPTION = 2_000;

function getMaxDescriptionLength(toolCount: number): number {
	return Math.max(MIN_DESCRIPTION, Math.min(MAX_DESCRIPTION, MAX_TOOL_TEXT / toolCount));
}

const segmenter = new Intl.Segmenter('und', { granularity: 'word' });

/** The first letters of a word represent all its forms: order, orders, ordered. */
const STEM_LENGTH = 5;

function toWordStems(source: string) {
	// `getWeather_now` as "get Weather now".
	const plain = source.replaceAll(/[_.-]+/g, ' ').replaceAll(/(\p{Ll})(\p{Lu})/gu, '$1 $2');
	const segments = [...segmenter.segment(plain)].filter(({ isWordLike }) => isWordLike);
	const stems = segments.map(({ segment }) => segment.toLowerCase().slice(0, STEM_LENGTH));
	// Latin words of one or two letters carry no meaning.
	return new Set(stems.filter((stem) => !/^[a-z]{1,2}$/.test(stem)));
}
