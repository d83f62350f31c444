import { NodeConnectionTypes, type ISupplyDataFunctions, type SupplyData } from 'n8n-workflow';

import { localLlamaConnection } from '../../lib/servers/credential';
import { CheckedAnswers } from '../../lib/text/checked-answers';
import { NodeParameters } from '../shared/parameters';
import { priorityOf } from '../shared/queueing';
import { supplied } from '../shared/sub-node-log';
import { supplyModel } from '../shared/supplied-model';
import { properties } from './fields';
import { ModelAnswers } from './model-answers';
import { readSettings } from './settings';
import { BudgetedAnswers } from './token-budget';
import { RankingAt } from './tool-ranking';
import { ToolsAtOnce } from './tools-at-once';

/** Supplies the chat model, see `supplyModel`. */
export async function supplyChatModel(
	context: ISupplyDataFunctions,
	itemIndex: number,
): Promise<SupplyData> {
	return await supplied(context, NodeConnectionTypes.AiLanguageModel, itemIndex, async (log) => {
		const credentials = await context.getCredentials('localLlamaApi', itemIndex);
		const parameters = new NodeParameters(context, itemIndex, properties);
		const priority = priorityOf(context, parameters);
		const connection = localLlamaConnection(credentials, context.helpers, { priority });
		const settings = readSettings(parameters);
		const ofModel = new ModelAnswers(connection, settings);
		const answers = new CheckedAnswers(ofModel, settings.parameters.responseFormat);
		const ranking = new RankingAt(connection);
		const toolsAtOnce = parameters.number('options.toolsAtOnce', 0);
		const choosing = new ToolsAtOnce(answers, ranking, toolsAtOnce);
		const budget = parameters.number('options.tokenBudget', 0);
		return await supplyModel(context, {
			source: new BudgetedAnswers(choosing, context, budget),
			settings: {
				model: settings.model,
				baseUrl: connection.url.api,
				serverType: connection.chosenKind ?? 'auto',
				options: { ...settings.parameters, ...settings.limits, retries: settings.retries },
			},
			toError: (error) => log.nodeError(error),
			jsonOutput: ['jsonObject', 'jsonSchema'].includes(
				settings.parameters.responseFormat?.type ?? '',
			),
		});
	});
}
