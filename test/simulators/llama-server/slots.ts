/** Slots with their queue and prompt cache (docs/protocols/llama-server.md 7.1 to 7.3). */
import { countTokens, sharedPrefix } from './text';

export interface SlotRequest {
	prompt: string;
	/** `id_slot`: taken modulo the number of slots, −1 for any. */
	idSlot: number;
	/** Slots needed at once (`n`). */
	count: number;
	cachePrompt: boolean;
	signal: AbortSignal;
	nPredict: number;
}

/** State of a slot, for tests. */
export interface SlotState {
	id: number;
	busy: boolean;
	/** Tokens held: the last prompt and what was generated. */
	tokens: number;
}

interface Slot {
	readonly id: number;
	held: string;
	busy: boolean;
	/** Order of release, for "least recently used". */
	released: number;
	task?: {
		id: number;
		nPredict: number;
		processed: number;
		cached: number;
		decoded: number;
	};
}

/** A slot while it works on one request. */
export interface Lease {
	readonly idSlot: number;
	readonly promptTokens: number;
	/** Prompt tokens from the cache. */
	readonly cachedTokens: number;
	/** Adds generated text to the slot. */
	append(text: string): void;
	/** Counts one generated token. */
	decoded(): void;
	release(): void;
}

interface Waiting {
	request: SlotRequest;
	start(leases: Lease[]): void;
}

export class SlotPool {
	/**
	 * Time of the last generated token, for pings and disconnect detection (docs/protocols/llama-server.md 3.5, 7.4).
	 */
	lastResultAt = 0;
	private readonly slots: Slot[];
	private readonly waiting: Waiting[] = [];
	private releases = 0;
	private tasks = 0;

	constructor(
		count: number,
		private readonly nCtx: number,
	) {
		this.slots = Array.from({ length: count }, (_, id) => ({
			id,
			held: '',
			busy: false,
			released: 0,
		}));
	}

	get count(): number {
		return this.slots.length;
	}

	get queued(): number {
		return this.waiting.length;
	}

	get busy(): number {
		return this.slots.filter((slot) => slot.busy).length;
	}

	state(): SlotState[] {
		return this.slots.map(({ id, busy, held }) => ({ id, busy, tokens: countTokens(held) }));
	}

	/** Body of `/slots`. */
	report(): object[] {
		return this.slots.map(({ id, busy, held, task }) => ({
			id,
			n_ctx: this.nCtx,
			speculative: false,
			is_processing: busy,
			...(task && {
				id_task: task.id,
				n_prompt_tokens: countTokens(held),
				n_prompt_tokens_processed: busy ? task.processed : 0,
				n_prompt_tokens_cache: busy ? task.cached : 0,
				params: {},
				next_token: [
					{
						has_next_token: busy,
						has_new_line: false,
						n_remain: busy && task.nPredict >= 0 ? task.nPredict - task.decoded : -1,
						n_decoded: busy ? task.decoded : 0,
					},
				],
			}),
		}));
	}

	/** Waits for the requested number of slots; undefined if the signal aborts first. */
	async acquire(request: SlotRequest): Promise<Lease[] | undefined> {
		if (request.signal.aborted) return undefined;
		return await new Promise((resolve) => {
			const entry: Waiting = { request, start: resolve };
			this.waiting.push(entry);
			request.signal.addEventListener(
				'abort',
				() => {
					const at = this.waiting.indexOf(entry);
					if (at < 0) return;
					this.waiting.splice(at, 1);
					resolve(undefined);
				},
				{ once: true },
			);
			this.startWaiting();
		});
	}

	/** First come, first served; only requests for a certain slot, or for several slots, may be overtaken. */
	private startWaiting(): void {
		for (const entry of [...this.waiting]) {
			const chosen = this.choose(entry.request);
			if (!chosen) continue;
			this.waiting.splice(this.waiting.indexOf(entry), 1);
			entry.start(chosen.map((slot) => this.lease(slot, entry.request)));
		}
	}

	private choose(request: SlotRequest): Slot[] | undefined {
		if (request.idSlot >= 0) {
			const slot = this.slots[request.idSlot % this.slots.length];
			return slot && !slot.busy && request.count === 1 ? [slot] : undefined;
		}
		const idle = this.slots.filter((slot) => !slot.busy);
		if (idle.length < request.count) return undefined;
		const byUse = [...idle].sort((a, b) => a.released - b.released || a.id - b.id);
		const shared = new Map(byUse.map((slot) => [slot, sharedPrefix(slot.held, request.prompt)]));
		const best = byUse.reduce((a, b) => (shared.get(b)! > shared.get(a)! ? b : a));
		// --slot-prompt-similarity: a shared prefix counts if it is longer than a tenth of the new prompt.
		if (shared.get(best)! > 0.1 * countTokens(request.prompt)) {
			return [best, ...byUse.filter((slot) => slot !== best)].slice(0, request.count);
		}
		return byUse.slice(0, request.count);
	}

	private lease(slot: Slot, request: SlotRequest): Lease {
		const promptTokens = countTokens(request.prompt);
		const shared = request.cachePrompt ? sharedPrefix(slot.held, request.prompt) : 0;
		// At least one token is always processed again, for its logits.
		const cachedTokens = Math.max(0, Math.min(shared, promptTokens - 1));
		slot.busy = true;
		slot.held = request.prompt;
		const { nPredict } = request;
		const task = {
			id: this.tasks,
			nPredict,
			processed: promptTokens - cachedTokens,
			cached: cachedTokens,
			decoded: 0,
		};
		this.tasks += 1;
		slot.task = task;
		let released = false;
		return {
			idSlot: slot.id,
			promptTokens,
			cachedTokens,
			append: (text) => {
				if (!released) slot.held += text;
			},
			decoded: () => {
				task.decoded += 1;
				this.lastResultAt = Date.now();
			},
			release: () => {
				if (released) return;
				released = true;
				slot.busy = false;
				this.releases += 1;
				slot.released = this.releases;
				this.startWaiting();
			},
		};
	}
}
