/** What a connection reports, told apart from the exceptions of the code that reads a response. */

/** A connection failed, or was ended. */
export class ConnectionFailure extends Error {
	/** @param cause - As undici or Node threw it, or n8n's egress filter */
	constructor(override readonly cause: unknown) {
		super('The connection failed');
	}
}

/** For `catch` of what uses the connection. */
export function throwConnectionFailure(error: unknown): never {
	throw new ConnectionFailure(error);
}

/** The bytes of a body, whose errors are those of its connection. Without a generator, which costs more for each chunk. */
export function readConnection(body: AsyncIterable<Uint8Array>): AsyncIterable<Uint8Array> {
	return {
		[Symbol.asyncIterator]() {
			const chunks = body[Symbol.asyncIterator]();
			return {
				async next() {
					try {
						return await chunks.next();
					} catch (error) {
						throwConnectionFailure(error);
					}
				},
				async return() {
					return (await chunks.return?.()) ?? { done: true, value: undefined };
				},
			};
		},
	};
}
