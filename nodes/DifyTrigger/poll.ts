import type { IDataObject, INodeExecutionData, IPollFunctions } from 'n8n-workflow';

import { FEEDBACK } from '../../lib/dify/app/feedback';
import { difyClient } from '../../lib/dify/credentials';
import { readPage } from '../../lib/dify/pagination';
import type { JsonRecord } from '../../lib/values';
import { difyNodeError } from '../shared/dify/errors';
import { NodeParameters } from '../shared/parameters';
import { newFeedback, type PollState } from './feedback';
import { properties } from './fields';

/** How many examples the editor gets. */
const SHOWN = 3;

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
		const isWanted = wantedBy(parameters);
		if (context.getMode() === 'manual') {
			const { records } = await readPage(client, FEEDBACK);
			return outputOf(records.filter(isWanted).slice(0, SHOWN).reverse().map(asNew));
		}
		const node = `${context.getWorkflow().id}/${context.getNode().id}`;
		if (looking.has(node)) return null;
		looking.add(node);
		try {
			const stored = context.getWorkflowStaticData('node');
			const news = await newFeedback(client, stored.feedback as PollState | undefined);
			const withChanged = parameters.flag('options.changed', true);
			const found = news.found.filter(
				({ feedback, isNew }) => (isNew || withChanged) && isWanted(feedback),
			);
			stored.feedback = { ...news.memory };
			return outputOf(found.map(({ feedback, isNew }) => ({ ...asNew(feedback), isNew })));
		} finally {
			looking.delete(node);
		}
	} catch (error) {
		throw difyNodeError(context.getNode(), error, {});
	}
}

function asNew(feedback: JsonRecord) {
	return { event: 'feedback', isNew: true, ...feedback };
}

function wantedBy(parameters: NodeParameters): (feedback: JsonRecord) => boolean {
	const rating = parameters.choice('rating');
	const source = parameters.choice('options.source', undefined);
	return (feedback) =>
		(rating === 'any' || feedback.rating === rating) &&
		(source === undefined || feedback.from_source === source);
}

function outputOf(items: object[]): INodeExecutionData[][] | null {
	return items.length === 0 ? null : [items.map((json) => ({ json: json as IDataObject }))];
}
