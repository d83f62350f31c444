import { calledTools, questionsOf, toolsToOffer } from '../../lib/chat/tools-at-once';
import type { AnswerSource } from '../../lib/chat/types';
import type { ToolRanking } from './tool-ranking';

/**
 * Offers the model only the tools that fit the conversation best. A call of a connected tool that was left out is a call
 * as any other.
 *
 * @param most how many tools are offered; 0 = all
 */
export function withToolsAtOnce(
	answers: AnswerSource,
	ranking: ToolRanking,
	most: number,
): AnswerSource {
	return async (call, show) => {
		const { tools = [], messages, toolChoice, signal } = call;
		if (most === 0 || tools.length <= most) return await answers(call, show);
		const { fit, basis } = await ranking.rank(questionsOf(messages), tools, signal);
		const forced = typeof toolChoice === 'object' ? toolChoice.name : undefined;
		const { offered, leftOut } = toolsToOffer(tools, fit, most, calledTools(messages), forced);
		const answer = await answers({ ...call, tools: offered, furtherTools: leftOut }, show);
		const log = {
			toolsOffered: `${offered.length} of ${tools.length}, chosen by ${basis}`,
			toolsLeftOut: leftOut.map(({ name }) => name),
		};
		return { ...answer, log: { ...answer.log, ...log } };
	};
}
