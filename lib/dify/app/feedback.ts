import { ServerError } from '../../errors/server-error';
import type { DifyClient } from '../client';

export type Rating = 'like' | 'dislike';

interface Rate {
	messageId: string;
	user: string;
	rating: Rating;
	/** Text of the feedback; undefined: none was given. */
	content?: string;
}

/** What is stored in Dify afterwards. */
interface Rated {
	messageId: string;
	rating: Rating | null;
	content: string | null;
}

/**
 * Rates a message. Repeating a rating is no error. Without a text, Dify erases that of an earlier rating
 * (docs/protocols/dify.md 4).
 *
 * @throws {ServerError} of kind `messageNotFound` for the message of another user, app, or of the web app
 */
export async function rateMessage(client: DifyClient, rate: Rate): Promise<Rated> {
	const { messageId, user, rating, content = null } = rate;
	const path = `/messages/${messageId}/feedbacks`;
	await client.send('POST', path, { rating, content, user }, { idempotent: true });
	return { messageId, rating, content };
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
	if (failed === undefined) return true;
	if (
		ignoreNotRated &&
		failed.error instanceof ServerError &&
		failed.error.kind === 'nothingToRevoke'
	)
		return false;
	throw failed.error;
}
