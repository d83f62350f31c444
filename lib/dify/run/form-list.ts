/** The forms that a run waits for. */
import type { HumanForm } from '../types';

/** Forms by their ID, or their node if they have none: a run with loops may open and close thousands. */
export class FormList {
	private readonly byKey = new Map<string, HumanForm>();
	private readonly keysByNode = new Map<string | undefined, Set<string>>();

	get size(): number {
		return this.byKey.size;
	}

	/** In the order of their events. */
	toArray(): HumanForm[] {
		return [...this.byKey.values()];
	}

	/** Whether the form, or without an ID a form of the same node, is in the list. */
	has({ formId, nodeId }: Pick<HumanForm, 'formId' | 'nodeId'>): boolean {
		return formId === undefined
			? this.keysByNode.has(nodeId)
			: this.byKey.has(toKey({ formId, nodeId }));
	}

	add(form: HumanForm): void {
		const key = toKey(form);
		this.byKey.set(key, form);
		const keys = this.keysByNode.get(form.nodeId) ?? new Set();
		this.keysByNode.set(form.nodeId, keys.add(key));
	}

	removeNode(nodeId: string | undefined): void {
		for (const key of this.keysByNode.get(nodeId) ?? []) this.byKey.delete(key);
		this.keysByNode.delete(nodeId);
	}

	clear(): void {
		this.byKey.clear();
		this.keysByNode.clear();
	}
}

function toKey({ formId, nodeId }: Pick<HumanForm, 'formId' | 'nodeId'>): string {
	return formId === undefined ? `node ${nodeId}` : `form ${formId}`;
}
