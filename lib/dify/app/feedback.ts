import { ServerError } from '../../errors/server-error';
import type { DifyClient } from '../client';
import { messagePages } from './conversations';
import { addNew, readPage } from '../paging';
import { recordOf, nonEmptyText, type JsonRecord } from '../../values';

export type Rating = 'like' | 'dislike';

/** Dify's largest page of feedback; a larger limit is answered with 400 (docs/protocols/dify.md 2.6). */
const MAX_PAGE_SIZE = 101;

interface Rate {
	messageId: string;
	user: string;
	rating: Rating;
	/** Text of the feedback; undefined: none was given. */
	content?: string;
	/** What happens to an earlier text where none is given: Dify would erase it (docs/protocols/dify.md 4). */
	earlierContent: 'keep' | 'erase';
	/** If known, an earlier rating is looked for in this conversation first: one request instead of many. */
	conversationId?: string;
}

/** What is stored in Dify afterwards. */
interface Rated {
	messageId: string;
	rating: Rating | null;
	content: string | null;
}

/**
 * Rates a message. Repeating a rating is no error.
 *
 * @throws {ServerError} of kind `messageNotFound` for the message of another user, app, or of the web app
 */
export async function rateMessage(client: DifyClient, rate: Rate): Promise<Rated> {
	const { messageId, user, rating } = rate;
	const content =
		rate.content ??
		(rate.earlierContent === 'keep' ? await earlierContent(client, rate) : undefined);
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
 * Revokes the rating of a message, with its text.
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
	// Not retried: the second time, Dify says that there is nothing to revoke.
	const failed = await client
		.send('POST', `/messages/${messageId}/feedbacks`, { rating: null, user })
		.then(
			() => undefined,
			(error: unknown) => ({ error }),
		);
	if (failed === undefined) {
		textsOf(client).set(messageId, undefined);
		return true;
	}
	if (
		ignoreNotRated &&
		failed.error instanceof ServerError &&
		failed.error.kind === 'nothingToRevoke'
	)
		return false;
	throw failed.error;
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
	return await texts.of(client, messageId);
}

/**
 * Texts of the users' ratings, as far as the app's feedback was read. It is read once for all items of an execution:
 * 5,000 ratings take 50 requests, and only the end of the list tells that a message has none.
 */
class RatedTexts {
	private readonly texts = new Map<string, string | undefined>();
	private readonly known = new Map<string, JsonRecord>();
	private page = 1;
	private isComplete = false;
	private reading: Promise<void> = Promise.resolve();

	knows(messageId: string): boolean {
		return this.isComplete || this.texts.has(messageId);
	}

	async of(client: DifyClient, messageId: string): Promise<string | undefined> {
		while (!this.knows(messageId)) {
			const reading = this.reading.then(async () => {
				if (!this.knows(messageId)) await this.readPage(client);
			});
			// The next caller retries what failed.
			this.reading = reading.catch(() => {});
			await reading;
		}
		return this.texts.get(messageId);
	}

	set(messageId: string, content: string | undefined): void {
		this.texts.set(messageId, content);
	}

	private async readPage(client: DifyClient): Promise<void> {
		const paging = { page: this.page, limit: MAX_PAGE_SIZE };
		const answer = await client.get('/app/feedbacks', paging);
		const { records, more } = readPage(answer, this.page, MAX_PAGE_SIZE);
		const fresh = addNew(this.known, records);
		for (const { message_id: id, from_source: source, content } of fresh) {
			if (typeof id === 'string' && source === 'user' && !this.texts.has(id))
				this.texts.set(id, nonEmptyText(content));
		}
		this.page++;
		this.isComplete = !more || fresh.length === 0;
	}
}

const ratedTexts = new WeakMap<object, RatedTexts>();

function textsOf({ execution }: DifyClient): RatedTexts {
	const texts = ratedTexts.get(execution) ?? new RatedTexts();
	ratedTexts.set(execution, texts);
	return texts;
}

/** Whether the message has a rating; true also where the message is not found. */
async function isRated(
	client: DifyClient,
	conversationId: string,
	messageId: string,
	user: string,
): Promise<boolean> {
	for await (const messages of messagePages(client, user, conversationId, 'all')) {
		const message = messages.find(({ id }) => id === messageId);
		if (message !== undefined) return nonEmptyText(recordOf(message.feedback).rating) !== undefined;
	}
	return true;
}
