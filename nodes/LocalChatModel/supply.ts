import { NodeConnectionTypes, type ISupplyDataFunctions, type SupplyData } from 'n8n-workflow';

import { serverOf } from '../../lib/servers/server';
import { NodeParameters } from '../shared/parameters';
import { priorityOf } from '../shared/queueing';
import { supplied } from '../shared/sub-node-log';
import { supplyModel } from '../shared/supplied-model';
import { properties } from './fields';
import { answersOf } from './model-answers';
import { readSettings } from './settings';
import { withBudget } from './token-budget';
import { RankingAt } from './tool-ranking';
import { withToolsAtOnce } from './tools-at-once';

/** Supplies the chat model, see `supplyModel`. */
export async function supplyChatModel(
	context: ISupplyDataFunctions,
	itemIndex: number,
): Promise<SupplyData> {
	return await supplied(context, NodeConnectionTypes.AiLanguageModel, itemIndex, async (log) => {
		const credentials = await context.getCredentials('localLlamaApi', itemIndex);
		const parameters = new NodeParameters(context, itemIndex, properties);
		const server = serverOf(credentials, context.helpers);
		const settings = { ...readSettings(parameters), priority: priorityOf(context, parameters) };
		const toolsAtOnce = parameters.number('options.toolsAtOnce', 0);
		const budget = parameters.number('options.tokenBudget', 0);
		const answers = withToolsAtOnce(
			answersOf(server, settings),
			new RankingAt(server),
			toolsAtOnce,
		);
		return await supplyModel(context, {
			answers: withBudget(answers, context, budget),
			settings: {
				model: settings.model,
				baseUrl: server.url.api,
				serverType: server.kindSet ?? 'auto',
				options: { ...settings.parameters, ...settings.limits, retries: settings.retries },
			},
			toError: (error) => log.nodeError(error),
			jsonOutput: ['jsonObject', 'jsonSchema'].includes(
				settings.parameters.responseFormat?.type ?? '',
			),
		});
	});
}
