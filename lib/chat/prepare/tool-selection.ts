/** Selects the tools that match the user's questions best. */
import { asRecord, asString } from '../../values/records';
import { FORMAT_TOOL_NAME } from '../tools/format-tool';
import type { ChatRequest } from '../chat-request';
import type { ToolDefinition } from '../tool-definition';
import type { InputMessage } from '../input-message';
import { scoreTools } from './score-tools';

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
			content.map(({ block }) => asString(block) ?? asString(asRecord(block).text)).join('\n'),
		)
		.map((question) => `${question.slice(0, QUESTION_ENDS)}\n${question.slice(-QUESTION_ENDS)}`);
}
