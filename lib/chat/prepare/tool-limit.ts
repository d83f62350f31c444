/** Limits the tools that are offered to the model. */
import type { ChatGenerator } from '../chat-request';
import { selectTools } from './tool-selection';

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
