import { ServerError } from '../errors/server-error';
import type { DifyClient } from './client';
import { messagePages } from './conversations';
import { added, pageSize, type Most } from './paging';
import { recordOf, recordsIn, nonEmptyText, type JsonRecord } from '../values';

export type Rating = 'like' | 'dislike';

/** Dify's largest page of feedback; one more is a 400 (docs/protocols/dify.md 2.6). */
const MAX_PAGE_SIZE = 101;

export interface Rate {
	messageId: string;
	user: string;
	rating: Rating;
	/** Undefined: none was given. */
	content?: string;
	/** What happens to an earlier text where none is given: Dify would erase it (docs/protocols/dify.md 4). */
	earlierContent: 'keep' | 'erase';
	/** Where it is known, an earlier rating is looked for in it first, which is one request instead of many. */
	conversationId?: string;
}

/** What is stored in Dify afterwards. */
export interface Rated {
	messageId: string;
	rating: Rating | null;
	content: string | null;
}

/**
 * Rates a message. The same rating again is no error.
 *
 * @throws {ServerError} of kind `messageNotFound` for the message of another user, app, or of the web app
 */
export async function rateMessage(client: DifyClient, rate: Rate): Promise<Rated> {
	const { messageId, user, rating } = rate;
	const content = rate.content ?? (rate.earlierContent === 'keep' ? await earlierContent(client, rate) : undefined);
	await client.send(
		'POST',
		`/messages/${messageId}/feedbacks`,
		{ rating, content: content ?? null, user },
		{ idempotent: true },
	);
	textsOf(client).set(messageId, content);
	return { messageId, rating, content: content ?? null };
}

/**
 * Takes the rating of a message back, with its text.
 *
 * @returns whether there was one
 * @throws {ServerError} of kind `nothingToRevoke` when there was none, unless `ignoreNotRated`
 */
export async function revokeRating(
	client: DifyClient,
	messageId: string,
	user: string,
	ignoreNotRated: boolean,
): Promise<boolean> {
	// Not sent again by itself: the second time, Dify says that there is nothing to revoke.
	const failed = await client.send('POST', `/messages/${messageId}/feedbacks`, { rating: null, user }).then(
		() => undefined,
		(error: unknown) => ({ error }),
	);
	if (failed === undefined) {
		textsOf(client).set(messageId, undefined);
		return true;
	}
	if (ignoreNotRated && failed.error instanceof ServerError && failed.error.kind === 'nothingToRevoke') return false;
	throw failed.error;
}

/** Feedback of an app, newest first: of its users, and of the team in Dify's console. */
export async function listFeedback(client: DifyClient, most: Most): Promise<JsonRecord[]> {
	const records = new Map<string, JsonRecord>();
	for await (const found of feedbackPages(client, pageSize(most, 0, MAX_PAGE_SIZE))) {
		added(records, found);
		if (most !== 'all' && records.size >= most) break;
	}
	return most === 'all' ? [...records.values()] : [...records.values()].slice(0, most);
}

/** @param limit one for all pages: the number of a page means nothing otherwise */
async function* feedbackPages(client: DifyClient, limit: number): AsyncGenerator<JsonRecord[]> {
	const known = new Map<string, JsonRecord>();
	for (let page = 1; ; page++) {
		const found = await feedbackPage(client, page, limit);
		const fresh = added(known, found);
		yield fresh;
		// Dify names no total; a short page is the last one. Pages without anything new come from something that does not
		// pass on their number.
		if (found.length < limit || fresh.length === 0) return;
	}
}

async function feedbackPage(client: DifyClient, page: number, limit: number): Promise<JsonRecord[]> {
	return recordsIn((await client.get('/app/feedbacks', { page, limit })).data);
}

/**
 * The text that the user gave with an earlier rating. Only the list of all feedback has it (docs/protocols/dify.md 4).
 */
async function earlierContent(
	client: DifyClient,
	{ messageId, user, conversationId }: Rate,
): Promise<string | undefined> {
	const texts = textsOf(client);
	if (!texts.knows(messageId) && conversationId !== undefined) {
		if (!(await isRated(client, conversationId, messageId, user))) return undefined;
	}
	return await texts.of(messageId);
}

/**
 * The texts of the users' ratings, as far as the feedback of the app was read. It is read once for all items of an
 * execution: with 5,000 ratings that is 50 requests, and most messages have no earlier rating, which only its end
 * tells.
 */
class RatedTexts {
	private readonly texts = new Map<string, string | undefined>();
	private readonly known = new Map<string, JsonRecord>();
	private page = 1;
	private isComplete = false;
	private reading: Promise<void> = Promise.resolve();

	constructor(private readonly client: DifyClient) {}

	knows(messageId: string): boolean {
		return this.isComplete || this.texts.has(messageId);
	}

	async of(messageId: string): Promise<string | undefined> {
		while (!this.knows(messageId)) {
			const reading = this.reading.then(async () => {
				if (!this.knows(messageId)) await this.readPage();
			});
			// Who comes next reads again what failed.
			this.reading = reading.catch(() => {});
			await reading;
		}
		return this.texts.get(messageId);
	}

	set(messageId: string, content: string | undefined): void {
		this.texts.set(messageId, content);
	}

	private async readPage(): Promise<void> {
		const found = await feedbackPage(this.client, this.page, MAX_PAGE_SIZE);
		const fresh = added(this.known, found);
		for (const { message_id: id, from_source: source, content } of fresh) {
			if (typeof id === 'string' && source === 'user' && !this.texts.has(id)) this.texts.set(id, nonEmptyText(content));
		}
		this.page++;
		this.isComplete = found.length < MAX_PAGE_SIZE || fresh.length === 0;
	}
}

/** A client lives as long as an execution. */
const ratedTexts = new WeakMap<DifyClient, RatedTexts>();

function textsOf(client: DifyClient): RatedTexts {
	const known = ratedTexts.get(client);
	if (known !== undefined) return known;
	const texts = new RatedTexts(client);
	ratedTexts.set(client, texts);
	return texts;
}

/** Whether the message has a rating; a message that is not found there may have one. */
async function isRated(client: DifyClient, conversationId: string, messageId: string, user: string): Promise<boolean> {
	for await (const messages of messagePages(client, user, conversationId, 'all')) {
		const message = messages.find(({ id }) => id === messageId);
		if (message !== undefined) return nonEmptyText(recordOf(message.feedback).rating) !== undefined;
	}
	return true;
}
