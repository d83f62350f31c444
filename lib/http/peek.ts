/** A body whose beginning can be read in advance, to see what it is. */
export interface Peeked {
	/** The first bytes, without consuming them; fewer if the body is shorter. */
	head(length: number): Promise<Uint8Array>;
	text(length: number): Promise<string>;
	pieces(): AsyncIterable<Uint8Array>;
}

export function peeked(source: AsyncIterable<Uint8Array>): Peeked {
	const iterator = source[Symbol.asyncIterator]();
	let peeked = Buffer.alloc(0);
	let hasEnded = false;
	const head = async (length: number) => {
		while (peeked.byteLength < length && !hasEnded) {
			const next = await iterator.next();
			if (next.done === true) hasEnded = true;
			else peeked = Buffer.concat([peeked, next.value]);
		}
		return peeked.subarray(0, length);
	};
	return {
		head,
		text: async (length) => Buffer.from(await head(length)).toString('utf8'),
		pieces: async function* () {
			try {
				if (peeked.byteLength > 0) yield peeked;
				peeked = Buffer.alloc(0);
				while (!hasEnded) {
					const next = await iterator.next();
					if (next.done === true) return;
					yield next.value;
				}
			} finally {
				await iterator.return?.(undefined);
			}
		},
	};
}
