/**
 * Writes to a knowledge base, one after the other: Dify locks nothing, so two at the same time leave what neither of them
 * wants. A write is answered some moments later, so that one that is sent without waiting is seen.
 */
import type * as http from 'node:http';
import { setImmediate } from 'node:timers';
import type { SimRequest } from './types';

/** A write that began before an earlier one to the same knowledge base had ended: method and path of both. */
export interface Overlap {
	earlier: string;
	later: string;
}

/** As many as a new connection of the same process needs. */
const TURNS = 20;

/** What only reads, although it is sent like a write. */
const READS = /\/retrieve$/;

const describe = ({ method, path }: SimRequest): string => `${method} ${path}`;

/** The knowledge base that a request changes. */
function findTarget({ method, path }: SimRequest): string | undefined {
	if (method === 'GET' || READS.test(path)) return undefined;
	return /^\/datasets\/[^/]+/.exec(path)?.[0];
}

export class Writes {
	readonly overlaps: Overlap[] = [];

	private readonly open = new Map<string, SimRequest>();

	/** Resolves when the request may be answered. */
	async begin(request: SimRequest, response: http.ServerResponse): Promise<void> {
		const target = findTarget(request);
		if (target === undefined) return;
		const earlier = this.open.get(target);
		if (earlier !== undefined)
			this.overlaps.push({ earlier: describe(earlier), later: describe(request) });
		this.open.set(target, request);
		response.on('close', () => {
			if (this.open.get(target) === request) this.open.delete(target);
		});
		for (let turns = 0; turns < TURNS; turns++)
			await new Promise((resolve) => setImmediate(resolve));
	}
}
