/** A reply of the model of scripted-model.mjs; the first one whose conditions match is used. */
export interface ScriptedReply {
	/** Condition: role of the last message. */
	last?: 'user' | 'tool';
	/** Condition: the last message contains this text. */
	contains?: string;
	reply: string;
}
