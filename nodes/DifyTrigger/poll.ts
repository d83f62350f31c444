import type { IDataObject, INodeExecutionData, IPollFunctions } from 'n8n-workflow';

import { FEEDBACK_LIST } from '../../lib/dify/app/feedback';
import { createDifyClient } from '../../lib/dify/credentials';
import { fetchPage } from '../../lib/dify/pagination';
import type { JsonRecord } from '../../lib/values';
import { toDifyNodeError } from '../shared/dify/errors';
import { NodeParameters } from '../shared/parameters';
import { pollFeedback, type PollState } from './feedback';
import { properties } from './fields';

/** How many examples the editor gets. */
const MAX_TEST_ITEMS = 3;

/** Nodes that are polling at this moment. */
const pollingNodes = new Set<string>();

/**
 * Polls the app once. The memory is stored only when everything was read, so the next poll repeats a failed one. n8n
 * stores it together with the workflow that it starts. n8n may begin a poll while another one runs: it is skipped,
 * since both would find the same.
 */
export async function pollDify(context: IPollFunctions): Promise<INodeExecutionData[][] | null> {
	try {
		const parameters = NodeParameters.ofPoll(context, properties);
		const client = createDifyClient(await context.getCredentials('difyApi'), context.helpers);
		const isWanted = createRatingFilter(parameters);
		if (context.getMode() === 'manual') {
			const { records } = await fetchPage(client, FEEDBACK_LIST);
			return outputOf(records.filter(isWanted).slice(0, MAX_TEST_ITEMS).reverse().map(asNew));
		}
		const node = `${context.getWorkflow().id}/${context.getNode().id}`;
		if (pollingNodes.has(node)) return null;
		pollingNodes.add(node);
		try {
			const stored = context.getWorkflowStaticData('node');
			const news = await pollFeedback(client, stored.feedback as PollState | undefined);
			const withChanged = parameters.boolean('options.changed', true);
			const found = news.found.filter(
				({ feedback, isNew }) => (isNew || withChanged) && isWanted(feedback),
			);
			stored.feedback = { ...news.memory };
			return outputOf(found.map(({ feedback, isNew }) => ({ ...asNew(feedback), isNew })));
		} finally {
			pollingNodes.delete(node);
		}
	} catch (error) {
		throw toDifyNodeError(context.getNode(), error, {});
	}
}

function asNew(feedback: JsonRecord) {
	return { event: 'feedback', isNew: true, ...feedback };
}

function createRatingFilter(parameters: NodeParameters): (feedback: JsonRecord) => boolean {
	const rating = parameters.choice('rating');
	const source = parameters.choice('options.source', undefined);
	return (feedback) =>
		(rating === 'any' || feedback.rating === rating) &&
		(source === undefined || feedback.from_source === source);
}

function outputOf(items: object[]): INodeExecutionData[][] | null {
	return items.length === 0 ? null : [items.map((json) => ({ json: json as IDataObject }))];
}
