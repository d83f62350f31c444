import type { IDataObject, INodeExecutionData, IPollFunctions } from 'n8n-workflow';

import { FEEDBACK_LIST } from '../../lib/dify/app/feedback';
import { createDifyClient } from '../../lib/dify/credentials';
import { fetchPage } from '../../lib/dify/pagination';
import type { JsonRecord } from '../../lib/values';
import { toDifyNodeError } from '../shared/dify/errors';
import { NodeParameters } from '../shared/parameters';
import { pollFeedback, type PollState } from './feedback';
import { properties } from './fields';

/** Max items of a manual test. */
const MAX_TEST_ITEMS = 3;

/** Nodes that are currently polling. */
const pollingNodes = new Set<string>();

/**
 * Polls the app once. The state is stored only after everything was read, so the next poll repeats a failed one. n8n
 * stores it with the workflow that it starts. n8n may start a poll while another one runs: it is skipped, since both
 * would return the same ratings.
 */
export async function pollDify(context: IPollFunctions): Promise<INodeExecutionData[][] | null> {
	try {
		const parameters = NodeParameters.ofPoll(context, properties);
		const client = createDifyClient(await context.getCredentials('difyApi'), context.helpers);
		const matchesFilter = createRatingFilter(parameters);
		if (context.getMode() === 'manual') {
			const { records } = await fetchPage(client, FEEDBACK_LIST);
			return toOutput(
				records.filter(matchesFilter).slice(0, MAX_TEST_ITEMS).reverse().map(toNewEvent),
			);
		}
		const node = `${context.getWorkflow().id}/${context.getNode().id}`;
		if (pollingNodes.has(node)) return null;
		pollingNodes.add(node);
		try {
			const stored = context.getWorkflowStaticData('node');
			const result = await pollFeedback(client, stored.feedback as PollState | undefined);
			const withChanged = parameters.boolean('options.changed', true);
			const ratings = result.ratings.filter(
				({ feedback, isNew }) => (isNew || withChanged) && matchesFilter(feedback),
			);
			stored.feedback = { ...result.state };
			return toOutput(ratings.map(({ feedback, isNew }) => ({ ...toNewEvent(feedback), isNew })));
		} finally {
			pollingNodes.delete(node);
		}
	} catch (error) {
		throw toDifyNodeError(context.getNode(), error, {});
	}
}

function toNewEvent(feedback: JsonRecord) {
	return { event: 'feedback', isNew: true, ...feedback };
}

function createRatingFilter(parameters: NodeParameters): (feedback: JsonRecord) => boolean {
	const rating = parameters.choice('rating');
	const source = parameters.choice('options.source', undefined);
	return (feedback) =>
		(rating === 'any' || feedback.rating === rating) &&
		(source === undefined || feedback.from_source === source);
}

function toOutput(items: object[]): INodeExecutionData[][] | null {
	return items.length === 0 ? null : [items.map((json) => ({ json: json as IDataObject }))];
}
