/** Polls Dify for new ratings. */
import type { IDataObject, INodeExecutionData, IPollFunctions } from 'n8n-workflow';
import { FEEDBACK_LIST } from '../../lib/dify/app';
import { openDifyClient } from '../../lib/dify/credentials';
import type { JsonRecord } from '../../lib/values/records';
import { asNonEmptyString } from '../../lib/values/records';
import { pushAll } from '../../lib/values/lists';
import { toDifyNodeError } from '../shared/dify/dify-node-error';
import { toPollError } from '../shared/run/item-error';
import { NodeParameters } from '../shared/parameters';
import type { DifyClient } from '../../lib/dify/client';
import { fetchPage, iteratePages } from '../../lib/dify/client';
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
		const client = await openDifyClient(context, 'app');
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
		throw toPollError(toDifyNodeError(context.getNode(), error));
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

/** Dify sends no notifications, and lists ratings newest first, without a total. Several workers write records, so one may appear after newer ones. */
const GRACE_MS = 60_000;

/** State of the last poll, as plain data in n8n's database. */
interface PollState {
	/** When the newest record was created, in milliseconds. */
	newest: number;
	/** `updated_at` of the newest records, by ID. A changed rating keeps its position in the list. */
	known: Record<string, string>;
}

/** `state`: undefined at the first poll, which returns no ratings. */
async function pollFeedback(client: DifyClient, state: PollState | undefined) {
	const since = (state?.newest ?? Infinity) - GRACE_MS;
	const records = await fetchRecordsSince(client, since);
	const ratings = records.flatMap((feedback) => {
		const previousStamp = state?.known[String(feedback.id)];
		const isNew = previousStamp === undefined;
		const isEvent = isNew ? getTime(feedback) >= since : previousStamp !== getStamp(feedback);
		return isEvent ? [{ feedback, isNew }] : [];
	});
	const stamps = records.map((record) => [String(record.id), getStamp(record)] as const);
	const newest = records[0] === undefined ? (state?.newest ?? 0) : getTime(records[0]);
	return {
		state: { newest, known: Object.fromEntries(stamps) } satisfies PollState,
		/** Oldest first. `isNew` false: an earlier rating was changed. */
		ratings: ratings.reverse(),
	};
}

/** The newest page, and more pages while all their ratings are new. */
async function fetchRecordsSince(client: DifyClient, since: number) {
	const records: JsonRecord[] = [];
	for await (const page of iteratePages(client, FEEDBACK_LIST)) {
		pushAll(records, page);
		const oldest = page.at(-1);
		if (oldest === undefined || getTime(oldest) < since) break;
	}
	return records;
}

function getStamp({ updated_at: updatedAt }: JsonRecord) {
	return String(updatedAt ?? '');
}

/** Unlike elsewhere in Dify, these times are ISO strings, in UTC without a zone. */
function getTime({ created_at: createdAt }: JsonRecord) {
	const text = asNonEmptyString(createdAt) ?? '';
	const time = Date.parse(/(?:Z|[+-]\d\d:?\d\d)$/.test(text) ? text : `${text}Z`);
	return Number.isNaN(time) ? 0 : time;
}
