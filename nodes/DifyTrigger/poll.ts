import type { IDataObject, INodeExecutionData, IPollFunctions } from 'n8n-workflow';

import { difyClient } from '../../lib/dify/credentials';
import { difyNodeError } from '../shared/dify/errors';
import { NodeParameters } from '../shared/parameters';
import { feedbackExamples, feedbackNews } from './feedback';
import { properties } from './fields';

/** Nodes that are polling at this moment. */
const looking = new Set<string>();

/**
 * Polls the app once. The memory is stored only when everything was read, so the next poll repeats a failed one. n8n
 * stores it together with the workflow that it starts. n8n may begin a poll while another one runs: it is skipped,
 * since both would find the same.
 */
export async function pollDify(context: IPollFunctions): Promise<INodeExecutionData[][] | null> {
	try {
		const parameters = NodeParameters.ofPoll(context, properties);
		const client = difyClient(await context.getCredentials('difyApi'), context.helpers);
		if (context.getMode() === 'manual') return outputOf(await feedbackExamples(client, parameters));
		const node = `${context.getWorkflow().id}/${context.getNode().id}`;
		if (looking.has(node)) return null;
		looking.add(node);
		try {
			const stored = context.getWorkflowStaticData('node');
			const { memory, items } = await feedbackNews(client, parameters, stored.feedback);
			stored.feedback = { ...memory };
			return outputOf(items);
		} finally {
			looking.delete(node);
		}
	} catch (error) {
		throw difyNodeError(context.getNode(), error, {});
	}
}

function outputOf(items: object[]): INodeExecutionData[][] | null {
	return items.length === 0 ? null : [items.map((json) => ({ json: json as IDataObject }))];
}
