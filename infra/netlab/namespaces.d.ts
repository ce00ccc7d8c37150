export declare function newLabPrefix(): string;
export declare function removeLab(prefix: string): Promise<void>;
export declare function removeStaleLabs(): Promise<number>;
