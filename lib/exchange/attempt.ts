/** One attempt of an exchange: all that the exchange asks of its user between two decisions. */
import type { PartialToolCall } from '../errors/issues';
import type { HttpResponse, RequestOptions } from '../http/types';
import type { RouteName } from '../servers/types/server-type';
import type { JsonRecord } from '../values/records';
import type { AttemptOutcome } from './types';

/** What an attempt is to send, on which route. */
export interface RoutedDraft<D> {
	/** The request before a route gives it its form. */
	draft: D;
	route: RouteName;
}

/** An attempt. The exchange calls its methods in this order. */
export interface Attempt<D, V> {
	/** The body in the form of the route, before the changes that rejections of earlier attempts require. */
	toBody(): JsonRecord;
	/**
	 * The texts of a body that neither the author of the workflow nor this node wrote, or of which nobody knows: what a response
	 * repeats of them word for word is not of the server.
	 */
	getTextsOfOthers(body: JsonRecord): readonly string[];
	/** How the changed body is sent. Default: as JSON. */
	toContent?(body: JsonRecord): RequestContent;
	/**
	 * Reads the response to its end, and decides what it means. It may be called again, since `lib/http` repeats a request
	 * whose connection was lost, so it keeps nothing of a response before.
	 *
	 * @param sentBody - With the changes that rejections required
	 * @throws {ServerError} if the response is of no use
	 */
	receiveOutcome(response: HttpResponse, sentBody: JsonRecord): Promise<AttemptOutcome<D, V>>;
	/** Output received so far. Default: none. */
	getPartialOutput?(): PartialOutput | undefined;
	/**
	 * Characters that users have seen until now, in this attempt and those before: a request is not sent again after output
	 * of its attempt was shown. Default: 0.
	 */
	getShownLength?(): number;
}

/** The body as `lib/http` takes it. */
export type RequestContent = Pick<RequestOptions, 'json' | 'upload'>;

/** Output of a response that has not ended. */
export interface PartialOutput {
	text: string;
	reasoning: string;
	/** Default: none. */
	toolCalls?: readonly PartialToolCall[];
}
